"""ONNX files in a worker: sessions whose concurrent calls are merged where every result stays the same."""
