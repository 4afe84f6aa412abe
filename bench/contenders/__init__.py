"""Who is measured: Pawl in its editions, its peers, and ONNX Runtime alone as their limit."""
