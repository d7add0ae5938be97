#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""A step of training beside PyTorch's: the same network and batch, in turns.

usage: bench_train_torch.py BENCH_TRAIN NETWORK...

bench_train describes the network that it imported (batch norm is folded, for both)
and makes a step whenever it is asked. Times are the processor's, of one thread each.
"""
import json
import statistics
import subprocess
import sys
import time

try:
    import torch
    import torch.nn.functional as F
except ImportError:
    print("skipped: no PyTorch; apt-get install python3-torch")
    sys.exit(77)

ROUNDS = 9


def conv(node, x, weight, bias=None):
    top, left, bottom, right = node["pads"]
    stride, dilation = node["stride"], node["dilation"]
    assert (top, left) == (bottom, right), "uneven padding"
    return F.conv2d(x, weight, bias, stride, (top, left), dilation,
                    node["group"][0])


def conv_transpose(node, x, weight, bias=None):
    top, left, bottom, right = node["pads"]
    assert (top, left) == (bottom, right), "uneven padding"
    return F.conv_transpose2d(x, weight, bias, node["stride"], (top, left), 0,
                              node["group"][0], node["dilation"])


def affine(node, x, scale, shift):
    shape = [1] * x.dim()
    shape[node["axis"]] = -1
    return x * scale.view(shape) + shift.view(shape)


def resize(node, x):
    return F.interpolate(x, scale_factor=node["scale"], mode="nearest")


OPERATORS = {
    "Conv": conv,
    "ConvTranspose": conv_transpose,
    "Gemm": lambda node, *inputs: F.linear(*inputs),
    "Relu": lambda node, x: F.relu(x),
    "Tanh": lambda node, x: torch.tanh(x),
    "Sigmoid": lambda node, x: torch.sigmoid(x),
    "Add": lambda node, a, b: a + b,
    "Concat": lambda node, *inputs: torch.cat(inputs, node["axis"]),
    "Reshape": lambda node, x: x.reshape(node["shape"]),
    "Affine": affine,
    "Resize": resize,
}


class Network:
    def __init__(self, lines):
        self.nodes = []
        self.values = {}
        self.shapes = {}
        for line in lines:
            self.read(json.loads(line))
        self.parameters = list(self.values.values())
        self.data = torch.rand(self.shapes[self.input]) * 2 - 1
        self.target = torch.rand(self.shapes[self.output]) * 2 - 1
        self.optimizer = torch.optim.Adam(self.parameters, lr=1e-4)

    def read(self, line):
        if "tensor" in line:
            index, shape = line["tensor"], line["shape"]
            self.shapes[index] = shape
            if line["constant"]:
                fan = max(1, torch.Size(shape[1:]).numel())
                value = torch.randn(shape) * (2 / fan) ** 0.5
                self.values[index] = value.requires_grad_()
        elif "op" in line:
            line["shape"] = self.shapes[line["outputs"][0]]
            self.nodes.append(line)
        else:
            self.input, self.output = line["input"], line["output"]

    def forward(self):
        values = dict(self.values)
        values[self.input] = self.data
        for node in self.nodes:
            inputs = [values[i] for i in node["inputs"] if i >= 0]
            run = OPERATORS[node["op"]]
            values[node["outputs"][0]] = run(node, *inputs)
        return values[self.output]

    def step(self):
        start = time.process_time()
        self.optimizer.zero_grad(set_to_none=True)
        F.mse_loss(self.forward(), self.target).backward()
        self.optimizer.step()
        return time.process_time() - start


def describe(child):
    lines = []
    while not lines or '"input"' not in lines[-1]:
        line = child.stdout.readline()
        if not line.startswith("{"):
            return None
        lines.append(line)
    return lines


def ask(child):
    child.stdin.write("step\n")
    child.stdin.flush()
    return float(child.stdout.readline())


def compare(bench_train, name):
    with subprocess.Popen([bench_train, "--serve", name], text=True,
                          stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE) as child:
        lines = describe(child)
        if lines is None:
            print(f"{name:18} skipped: no such network")
            return
        network = Network(lines)
        times = [(network.step(), ask(child)) for _ in range(ROUNDS + 2)][2:]
        child.stdin.close()
    torch_ms, own_ms = (1e3 * statistics.median(t) for t in zip(*times))
    print(f"{name:18} {torch_ms:8.2f} {own_ms:8.2f} {torch_ms / own_ms:8.2f}x",
          flush=True)


def main():
    torch.set_num_threads(1)
    torch.manual_seed(1)
    print(f"PyTorch {torch.__version__}, one thread")
    print(f"{'ms of one step':18} {'PyTorch':>8} {'own':>8} {'faster':>9}")
    for name in sys.argv[2:]:
        compare(sys.argv[1], name)


if __name__ == "__main__":
    main()
