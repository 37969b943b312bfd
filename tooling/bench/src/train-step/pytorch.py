"""The language model of packages/nn-engine in PyTorch: the same weights, batch and AdamW, as its users would write it.

Started with a folder and a number of threads. The folder holds sizes.json, weights.bin (float32, flat, in the layout's order) and tokens.bin (int64).
Says {"blas": ...} when ready; then, for each line with a count on stdin, makes so many steps and says {"losses", "seconds", "processorSeconds"}.
"""
import json, math, os, resource, sys, time

import torch
import torch.nn.functional as functional

folder, threads = sys.argv[1], int(sys.argv[2])
torch.set_num_threads(threads)
with open(os.path.join(folder, 'sizes.json')) as file:
    sizes = json.load(file)
width, heads, hidden, layers = sizes['width'], sizes['heads'], sizes['hidden'], sizes['layers']
rows, length = sizes['rows'], sizes['length']
head_width = width // heads


def read(name, dtype):
    with open(os.path.join(folder, name), 'rb') as file:
        return torch.frombuffer(bytearray(file.read()), dtype=dtype)


flat = read('weights.bin', torch.float32)
parameters = {}
for name, shape, offset, size in sizes['parameters']:
    parameters[name] = flat[offset:offset + size].reshape(shape).clone().requires_grad_(True)
tokens = read('tokens.bin', torch.int64).reshape(rows, length + 1)
inputs, targets = tokens[:, :-1].contiguous(), tokens[:, 1:].reshape(-1)

angles = torch.arange(length)[:, None] / 10000 ** (torch.arange(0, head_width, 2) / head_width)[None, :]
cosines, sines = angles.cos().float(), angles.sin().float()
mask = torch.full((length, length), -1e9).triu(1)


def norm(x, gain):
    return x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + 1e-5) * gain


def rotate(x):
    left, right = x.chunk(2, -1)
    return torch.cat([left * cosines - right * sines, right * cosines + left * sines], -1)


def loss_of():
    x = functional.embedding(inputs, parameters['embedding'])
    for layer in range(layers):
        take = lambda name: parameters[f'{layer}.{name}']
        qkv = norm(x, take('normA')) @ take('qkv')
        q, k, v = (part.reshape(rows, length, heads, head_width).transpose(1, 2) for part in qkv.chunk(3, -1))
        scores = rotate(q) @ rotate(k).transpose(-1, -2) / math.sqrt(head_width) + mask
        mixed = (scores.softmax(-1) @ v).transpose(1, 2).reshape(rows, length, width)
        x = x + mixed @ take('attention')
        gate, up = (norm(x, take('normB')) @ take('gateUp')).chunk(2, -1)
        x = x + (functional.silu(gate) * up) @ take('down')
    logits = norm(x, parameters['norm']) @ parameters['output']
    return functional.cross_entropy(logits.reshape(rows * length, -1), targets)


values = list(parameters.values())
optimizer = torch.optim.AdamW(values, lr=sizes['learningRate'], betas=(0.9, 0.99), eps=1e-8, weight_decay=0.1)


def step():
    optimizer.zero_grad(set_to_none=True)
    loss = loss_of()
    loss.backward()
    torch.nn.utils.clip_grad_norm_(values, 1.0)
    optimizer.step()
    return loss.item()


def used():
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def say(message):
    print(json.dumps(message), flush=True)


(torch.ones(64, 64) @ torch.ones(64, 64)).sum().item()
with open('/proc/self/maps') as maps:
    mapped = maps.read().lower()
say({'blas': next((name for name in ('openblas', 'mkl_core', 'blis') if name in mapped), 'reference'), 'version': torch.__version__})
for line in sys.stdin:
    start, before = time.perf_counter(), used()
    losses = [step() for _ in range(int(line))]
    say({'losses': losses, 'seconds': time.perf_counter() - start, 'processorSeconds': used() - before})
