"""What the worker does with ONNX files: sessions whose concurrent calls are merged where nobody can tell."""
