// SPDX-License-Identifier: MIT
// layers.mjs FOLDER...
//
// Compare what dump_layers wrote with ONNX Runtime, layer by layer on identical
// codes. Integer kernels have to agree exactly, and to be there: the optimized graph
// is searched for them. Elsewhere 99.99 % of the values, or all but one, have to be
// equal and none may be off by more than 1. (Averages that leave out the padding are
// often ties, which ONNX Runtime breaks in another way: of them any number may be off
// by 1.) End to end the signal-to-noise ratio between the two is reported.
import { createRequire } from 'node:module';
import { readFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, basename } from 'node:path';

const require = createRequire(process.env.NODE_PATH + '/');
const ort = require('onnxruntime-node');

const scratch = mkdtempSync(join(tmpdir(), 'accel-ort-'));
const counts = { passed: 0, failed: 0, skipped: 0 };

// Without VNNI, u8·s8 products saturate in 16 bits unless told to be precise.
function processorIsPrecise() {
	if (process.arch !== 'x64')
		return true;
	const flags = readFileSync('/proc/cpuinfo', 'utf8');
	return /avx512_vnni|avx_vnni/.test(flags);
}

function report(kind, text) {
	const marks = { passed: '       OK ', failed: '  FAILED  ', skipped: '  SKIPPED ' };
	counts[kind]++;
	console.log(`[${marks[kind]}] ${text}`); // as cmocka does
}

// Positions in [channel][row][column][batch] of a user's array, in its order.
function* positions(dims, tensor, batch, batchFirst) {
	const { channels: C, height: H, width: W } = tensor;
	const at = (c, y, x, b) => ((c * H + y) * W + x) * batch + b;
	if (dims.length === 3 && batchFirst) { // [N, T, F]
		for (let b = 0; b < batch; b++)
			for (let y = 0; y < H; y++)
				for (let c = 0; c < C; c++)
					yield at(c, y, 0, b);
		return;
	}
	if (dims.length === 3) { // [T, N, F]
		for (let y = 0; y < H; y++)
			for (let b = 0; b < batch; b++)
				for (let c = 0; c < C; c++)
					yield at(c, y, 0, b);
		return;
	}
	for (let b = 0; b < batch; b++)
		for (let c = 0; c < C; c++)
			for (let y = 0; y < H; y++)
				for (let x = 0; x < W; x++)
					yield at(c, y, x, b);
}

function shapeOf(rank, tensor, batch, batchFirst) {
	const { channels: C, height: H, width: W } = tensor;
	if (rank === 2)
		return [batch, C];
	if (rank === 3)
		return batchFirst ? [batch, H, C] : [H, batch, C];
	return [batch, C, H, W];
}

function stored(folder, index, tensor) {
	const file = readFileSync(join(folder, `tensor${index}.bin`));
	const buffer = file.buffer.slice(file.byteOffset,
		file.byteOffset + file.length);
	return tensor.float ? new Float32Array(buffer) : new Int8Array(buffer);
}

function feed(folder, manifest, { tensor: index, batch_first: batchFirst }, rank) {
	const tensor = manifest.tensors[index];
	const values = stored(folder, index, tensor);
	const dims = shapeOf(rank, tensor, manifest.batch, batchFirst);
	const data = new Float32Array(values.length);
	let i = 0;
	for (const at of positions(dims, tensor, manifest.batch, batchFirst))
		data[i++] = tensor.float ? values[at] :
			Math.fround((values[at] - tensor.zero) *
				Math.fround(tensor.scale));
	return new ort.Tensor('float32', data, dims);
}

function compare(folder, manifest, { tensor: index, batch_first: batchFirst }, output) {
	const tensor = manifest.tensors[index];
	const values = stored(folder, index, tensor);
	const result = { count: values.length, off: 0, worst: 0, error: 0, power: 0 };
	let i = 0;
	if (output.data.length !== values.length)
		return { ...result, off: values.length, worst: Infinity };
	for (const at of positions(output.dims, tensor, manifest.batch, batchFirst)) {
		const got = output.data[i++];
		const want = tensor.float ? values[at] :
			(values[at] - tensor.zero) * Math.fround(tensor.scale);
		const unit = tensor.float ?
			1e-5 * Math.max(1, Math.abs(want)) :
			Math.fround(tensor.scale);
		const distance = Math.abs(Math.round((got - want) / unit));
		result.off += distance > 0;
		result.worst = Math.max(result.worst, distance);
		result.error += (got - want) ** 2;
		result.power = Math.max(result.power, Math.abs(want));
	}
	return result;
}

async function open(model, name) {
	const optimized = join(scratch, name);
	const session = await ort.InferenceSession.create(model, {
		executionProviders: ['cpu'],
		graphOptimizationLevel: 'all',
		optimizedModelFilePath: optimized,
		intraOpNumThreads: 1,
		logSeverityLevel: 3,
		extra: { session: { x64quantprecision: '1' } },
	});
	return { session, graph: readFileSync(optimized, 'latin1') };
}

function feedsOf(folder, manifest, ports, session) {
	const feeds = {};
	for (const port of ports) {
		const { name } = manifest.tensors[port.tensor];
		const meta = session.inputMetadata.find((m) => m.name === name);
		if (meta)
			feeds[name] = feed(folder, manifest, port,
				meta.shape.length);
	}
	return feeds;
}

const integerKernel = /QLinearConv|QLinearMatMul|QGemm|MatMulIntegerToFloat/;

async function checkLayer(folder, manifest, number) {
	const layer = manifest.layers[number];
	const label = `${basename(folder)}: ${layer.name} (${layer.op})`;
	const { session, graph } = await open(
		join(folder, `layer${number}.onnx`), 'layer.onnx');
	const results = await session.run(
		feedsOf(folder, manifest, layer.inputs.map((tensor) => ({ tensor })),
			session));
	if (layer.op === 'spmm' && !integerKernel.test(graph))
		return report('failed', `${label}: no integer kernel`);
	for (const index of layer.outputs) {
		const { name, float } = manifest.tensors[index];
		const r = compare(folder, manifest, { tensor: index }, results[name]);
		const good = layer.exact && !float ? r.off === 0 :
			r.worst <= 1 &&
			(layer.ties || r.off <= Math.max(1, r.count / 10000));
		report(good ? 'passed' : 'failed',
			`${label}: ${r.count} values, ${r.off} differ` +
			(r.off ? `, at most by ${r.worst}` : ''));
	}
}

async function checkModel(folder, manifest) {
	const { session } = await open(join(folder, 'model.onnx'), 'model.onnx');
	const results = await session.run(
		feedsOf(folder, manifest, manifest.inputs, session));
	for (const port of manifest.outputs) {
		const { name } = manifest.tensors[port.tensor];
		const r = compare(folder, manifest, port, results[name]);
		const psnr = 10 * Math.log10(r.power ** 2 * 4 * r.count / r.error);
		report(!r.off || psnr > 30 ? 'passed' : 'failed',
			`${basename(folder)}: ${name} end to end: ` +
			`${r.off} of ${r.count} differ, ` +
			`PSNR ${r.error ? psnr.toFixed(1) : 'infinite'} dB`);
	}
}

async function checkFolder(folder) {
	const manifest = JSON.parse(
		readFileSync(join(folder, 'manifest.json'), 'utf8'));
	for (let i = 0; i < manifest.layers.length; i++)
		await checkLayer(folder, manifest, i).catch((error) =>
			report('failed', `${basename(folder)}: ` +
				`${manifest.layers[i].name}: ${error.message}`));
	await checkModel(folder, manifest).catch((error) =>
		report('failed', `${basename(folder)}: ${error.message}`));
}

if (processorIsPrecise())
	for (const folder of process.argv.slice(2))
		await checkFolder(folder);
else
	report('skipped', 'this processor has no VNNI: ONNX Runtime\'s 8-bit ' +
		'products saturate on it');
rmSync(scratch, { recursive: true });
console.log(`${counts.passed} passed, ${counts.failed} failed, ` +
	`${counts.skipped} skipped`);
process.exit(counts.failed ? 1 : 0);
