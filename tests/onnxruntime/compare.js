// SPDX-License-Identifier: MIT
// Runs ONNX models in ONNX Runtime and compares with what libaccel computed:
//     node compare.js FOLDER
// FOLDER/cases.json is an array of
//     { "name":    what to call it,
//       "model":   FILE.onnx,
//       "inputs":  { NAME: FILE.npy, ... },
//       "outputs": { NAME: FILE.npy, ... },
//       "kernel":  "QLinearConv": an operator that the optimized graph must hold, so
//                  that it is ONNX Runtime's integer arithmetic that is compared; optional
//       "compare": "exact": no value differs,
//                  "close": 99.99 % of the values are equal, none is off by more than 1,
//                  "psnr": only report it; the outputs are float32,
//       "peak":    of the PSNR }
// Prints a line for each case; exit 1 if any disagrees.
'use strict';
const fs = require('fs');
const path = require('path');
const ort = require('onnxruntime-node');

const CLOSE_SHARE = 0.9999;

const ELEMENTS = {
	'|i1': ['int8', Int8Array],
	'|u1': ['uint8', Uint8Array],
	'<i4': ['int32', Int32Array],
	'<i8': ['int64', BigInt64Array],
	'<f4': ['float32', Float32Array],
};

// A .npy file of version 1, in C order, as libaccel writes it.
function readNpy(file) {
	const bytes = fs.readFileSync(file);
	const start = 10 + bytes.readUInt16LE(8);
	const header = bytes.toString('latin1', 10, start);
	const description = /'descr': '([^']*)'/.exec(header)[1];
	const shape = /'shape': \(([^)]*)\)/.exec(header)[1];
	const [type, Elements] = ELEMENTS[description];
	// A copy, since a typed array has to be aligned.
	const data = new Elements(new Uint8Array(bytes.subarray(start)).buffer);
	const dims = shape.split(',').filter((s) => s.trim()).map(Number);
	return { type, data, dims };
}

function readTensors(folder, files) {
	const tensors = {};
	for (const [name, file] of Object.entries(files)) {
		const { type, data, dims } = readNpy(path.join(folder, file));
		tensors[name] = new ort.Tensor(type, data, dims);
	}
	return tensors;
}

// What differs between two tensors of one shape.
function difference(got, expected) {
	const result = { count: expected.data.length, differing: 0, most: 0, square: 0 };
	if (got.dims.join() !== expected.dims.join()) {
		throw new Error(`shape [${got.dims}] instead of [${expected.dims}]`);
	}
	for (let i = 0; i < result.count; i++) {
		const off = Math.abs(Number(got.data[i]) - Number(expected.data[i]));
		if (off !== 0) {
			result.differing++;
			result.most = Math.max(result.most, off);
			result.square += off * off;
		}
	}
	return result;
}

// The verdict on one output: [good, text].
function judge(test, result) {
	const { count, differing, most, square } = result;
	const text = `${count} values, ${differing} differ, by ${most} at most`;
	switch (test.compare) {
	case 'exact':
		return [differing === 0, text];
	case 'close':
		return [most <= 1 && differing <= count * (1 - CLOSE_SHARE), text];
	case 'psnr': {
		const psnr = 10 * Math.log10(test.peak * test.peak * count / square);
		return [true, `${count} values, PSNR ${psnr.toFixed(2)} dB`];
	}
	default:
		throw new Error(`unknown comparison ${test.compare}`);
	}
}

async function run(folder, test) {
	const optimized = path.join(folder, `${test.model}.optimized`);
	const session = await ort.InferenceSession.create(
		path.join(folder, test.model), {
			optimizedModelFilePath: optimized,
			intraOpNumThreads: 1,
			logSeverityLevel: 3,
			// Without it, CPUs that lack VNNI saturate in 16 bits.
			extra: { session: { x64quantprecision: '1' } },
		});
	const outputs = await session.run(readTensors(folder, test.inputs));
	let good = true;
	const texts = [];
	if (test.kernel && !fs.readFileSync(optimized).includes(test.kernel)) {
		good = false;
		texts.push(`the optimized graph holds no ${test.kernel}`);
	}
	for (const [name, file] of Object.entries(test.outputs)) {
		const expected = readNpy(path.join(folder, file));
		const [fine, text] = judge(test, difference(outputs[name], expected));
		good = good && fine;
		texts.push(text);
	}
	await session.release();
	return [good, texts.join('; ')];
}

async function main() {
	const folder = process.argv[2];
	const tests = JSON.parse(fs.readFileSync(path.join(folder, 'cases.json')));
	let failed = 0;
	for (const test of tests) {
		let good = false;
		let text;
		try {
			[good, text] = await run(folder, test);
		} catch (error) {
			text = error.message;
		}
		failed += good ? 0 : 1;
		console.log(`${good ? 'ok' : 'FAIL'} ${test.name}: ${text}`);
	}
	console.log(`${tests.length} cases, ${failed} failed`);
	// Nothing compared is nothing shown.
	process.exit(failed || !tests.length ? 1 : 0);
}

main();
