# SPDX-License-Identifier: MIT
"""gradients.py FOLDER: compare what dump_gradients wrote with PyTorch.

The network is built from graph.onnx, in binary64, and loss and gradients by all weights
have to agree.
"""
import json
import math
import os
import sys

import numpy
import onnx
import onnx.numpy_helper
import torch
import torch.nn.functional as F

TOLERANCE = 1e-4


def spatial(attributes):
    """Padding of an image as pad() takes it, and what else a window has."""
    top, left, bottom, right = attributes.get('pads', [0, 0, 0, 0])
    assert attributes.get('auto_pad', b'NOTSET') == b'NOTSET'
    return (left, right, top, bottom), {
        'stride': attributes.get('strides', [1, 1]),
        'dilation': attributes.get('dilations', [1, 1]),
        'groups': attributes.get('group', 1),
    }


def conv(a, x, weight, bias=None):
    pads, window = spatial(a)
    return F.conv2d(F.pad(x, pads), weight, bias, **window)


def conv_transpose(a, x, weight, bias=None):
    (left, right, top, bottom), window = spatial(a)
    y = F.conv_transpose2d(x, weight, bias,
                           output_padding=a.get('output_padding', 0), **window)
    return y[:, :, top:y.shape[2] - bottom, left:y.shape[3] - right]


def gemm(a, x, weight, bias=0):
    assert a['transB'] == 1
    return x @ weight.T + bias


def depth_to_space(a, x):
    block = a['blocksize']
    if a['mode'] == b'CRD':
        return F.pixel_shuffle(x, block)
    n, c, h, w = x.shape
    y = x.reshape(n, block, block, c // block ** 2, h, w)
    return y.permute(0, 3, 4, 1, 5, 2).reshape(n, c // block ** 2,
                                               h * block, w * block)


def resize(a, x, _, scales):
    assert a['mode'] == b'nearest'
    return F.interpolate(x, scale_factor=scales[2:].tolist())


def max_pool(a, x):
    (left, right, top, bottom), window = spatial(a)
    window.pop('groups')
    return F.max_pool2d(F.pad(x, (left, right, top, bottom), value=-math.inf),
                        a['kernel_shape'], ceil_mode=bool(a['ceil_mode']),
                        **window)


def lstm(a, x, weight, recurrence, bias, _lengths, h, c):
    """Gates in ONNX's order: input, output, forget, cell."""
    assert a['direction'] == b'forward'
    size = a['hidden_size']
    h = x.new_zeros(x.shape[1], size) if h is None else h[0]
    c = x.new_zeros(x.shape[1], size) if c is None else c[0]
    steps = []
    for step in x:
        gates = step @ weight[0].T + h @ recurrence[0].T
        if bias is not None:
            gates = gates + bias[0, :4 * size] + bias[0, 4 * size:]
        i, o, f, g = gates.split(size, dim=1)
        c = f.sigmoid() * c + i.sigmoid() * g.tanh()
        h = o.sigmoid() * c.tanh()
        steps.append(h)
    return torch.stack(steps)[:, None], h[None], c[None]


def reshape(_, x, shape):
    return x.reshape([x.shape[i] if size == 0 else size
                      for i, size in enumerate(shape.tolist())])


OPERATORS = {
    'Add': lambda a, x, y: x + y,
    'Concat': lambda a, *x: torch.cat(x, a['axis']),
    'Conv': conv,
    'ConvTranspose': conv_transpose,
    'DepthToSpace': depth_to_space,
    'Gemm': gemm,
    'GlobalAveragePool': lambda a, x: x.mean((2, 3), keepdim=True),
    'Identity': lambda a, x: x,
    'LSTM': lstm,
    'LeakyRelu': lambda a, x: F.leaky_relu(x, a['alpha']),
    'MatMul': lambda a, x, y: x @ y,
    'MaxPool': max_pool,
    'Mul': lambda a, x, y: x * y,
    'Relu': lambda a, x: F.relu(x),
    'Reshape': reshape,
    'Resize': resize,
    'Sigmoid': lambda a, x: x.sigmoid(),
    'Squeeze': lambda a, x, axes: x.squeeze(int(axes[0])),
    'Tanh': lambda a, x: x.tanh(),
    'Transpose': lambda a, x: x.permute(a['perm']),
}


def initializers(graph):
    """Weights, which want gradients, and lists of integers, which do not."""
    values = {}
    for tensor in graph.initializer:
        array = torch.from_numpy(onnx.numpy_helper.to_array(tensor).copy())
        if array.is_floating_point():
            array = array.double().requires_grad_()
        values[tensor.name] = array
    return values


def run(graph, values):
    for node in graph.node:
        attributes = {a.name: onnx.helper.get_attribute_value(a)
                      for a in node.attribute}
        inputs = [values[name] if name else None for name in node.input]
        results = OPERATORS[node.op_type](attributes, *inputs)
        if not isinstance(results, tuple):
            results = (results,)
        values.update(zip(node.output, results))


def load(folder, entry):
    return torch.from_numpy(numpy.load(os.path.join(folder, entry['file']))).double()


def relative(got, wanted):
    return float((got - wanted).norm() / max(float(wanted.norm()), 1e-30))


def report(what, error):
    good = error <= TOLERANCE
    print(f'[{"       OK " if good else "  FAILED  "}] {what}: '
          f'relative error {error:.1e}')  # as cmocka does
    return good


def main(folder):
    with open(os.path.join(folder, 'manifest.json'), encoding='utf-8') as file:
        manifest = json.load(file)
    graph = onnx.load(os.path.join(folder, 'graph.onnx')).graph
    values = initializers(graph)
    for entry in manifest['input']:
        values[entry['name']] = load(folder, entry)
    run(graph, values)
    loss = sum(((values[entry['name']] - load(folder, entry)) ** 2).mean()
               for entry in manifest['target'])
    loss.backward()
    name = os.path.basename(folder)
    good = report(f'{name}: loss {manifest["loss"]:.6g}',
                  abs(manifest['loss'] - float(loss)) / float(loss))
    for entry in manifest['gradient']:
        good &= report(f'{name}: {entry["name"]}',
                       relative(load(folder, entry),
                                values[entry['name']].grad))
    return 0 if good else 1


torch.set_num_threads(1)
sys.exit(main(sys.argv[1]))
