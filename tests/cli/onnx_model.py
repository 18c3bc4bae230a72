"""ONNX models for tests, operator by operator."""
import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper


class OnnxModel:
    """An ONNX network, line by line; constants go where they are used."""

    def __init__(self, opset, **inputs):
        self.opset, self.nodes, self.constants = opset, [], []
        self.inputs = [helper.make_tensor_value_info(k, TensorProto.FLOAT, shape) for k, shape in inputs.items()]

    def __call__(self, kind, *inputs, outputs=1, **attributes):
        names = []
        for x in inputs:
            if not isinstance(x, str):
                x = np.asarray(x)
                self.constants.append(numpy_helper.from_array(x.astype(np.float32) if x.dtype == np.float64 else x, f'c{len(self.constants)}'))
                x = self.constants[-1].name
            names.append(x)
        made = [f'{kind.lower()}_{len(self.nodes)}' + (f'_{i}' if i else '') for i in range(outputs)]
        self.nodes.append(helper.make_node(kind, names, made, name=made[0], **attributes))
        return made[0] if outputs == 1 else made

    def save(self, path, *outputs):
        ends = [helper.make_tensor_value_info(name, kind, None) for name, kind in outputs]
        graph = helper.make_graph(self.nodes, 'net', self.inputs, ends, self.constants)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid('', self.opset)], ir_version=8)
        onnx.save(model, path)
        return model
