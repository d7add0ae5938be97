// SPDX-License-Identifier: MIT
// floats.mjs FOLDER: run the float graphs that dump_graphs wrote with ONNX Runtime; all
// values have to be within 1e-5 of ours, relative to the largest.
import { createRequire } from 'node:module';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const require = createRequire(process.env.NODE_PATH + '/');
const ort = require('onnxruntime-node');

const folder = process.argv[2];
const counts = { passed: 0, failed: 0 };

function report(good, text) {
	counts[good ? 'passed' : 'failed']++;
	console.log(`[${good ? '       OK ' : '  FAILED  '}] ${text}`); // as cmocka does
}

function valuesOf({ file }) {
	const bytes = readFileSync(join(folder, file));
	return new Float32Array(bytes.buffer.slice(bytes.byteOffset,
		bytes.byteOffset + bytes.length));
}

// The largest distance, relative to the largest value; infinite if the shape differs.
function distance(port, output) {
	const wanted = valuesOf(port);
	let largest = 1, worst = 0;
	if (!output || output.dims.join() !== port.dims.join())
		return Infinity;
	for (let i = 0; i < wanted.length; i++) {
		largest = Math.max(largest, Math.abs(wanted[i]));
		worst = Math.max(worst, Math.abs(wanted[i] - output.data[i]));
	}
	return worst / largest;
}

async function check({ name, model, inputs, outputs }) {
	const session = await ort.InferenceSession.create(join(folder, model),
		{ executionProviders: ['cpu'], intraOpNumThreads: 1, logSeverityLevel: 3 });
	const feeds = {};
	for (const port of inputs)
		feeds[port.name] = new ort.Tensor('float32', valuesOf(port), port.dims);
	const results = await session.run(feeds);
	for (const port of outputs) {
		const far = distance(port, results[port.name]);
		report(far <= 1e-5, `${name}: ${port.name} [${port.dims}]: ${far.toExponential(1)}`);
	}
}

for (const item of JSON.parse(readFileSync(join(folder, 'manifest.json'), 'utf8')))
	await check(item).catch((error) => report(false, `${item.name}: ${error.message}`));
console.log(`${counts.passed} passed, ${counts.failed} failed`);
process.exit(counts.failed ? 1 : 0);
