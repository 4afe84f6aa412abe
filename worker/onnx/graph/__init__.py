"""What an ONNX file says of its graph, read without ONNX Runtime."""
