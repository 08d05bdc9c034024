import { createHistogram, performance } from 'node:perf_hooks';
import { payloadOf } from './payload.js';

/**
 * Lets callers call over the connection, each one call after the other, until
 * the time is over, and returns what that took: microseconds at three shares.
 */
export async function runLoad(connection, { callers, payload, slow, for: nanoseconds }) {
	if (slow) throw new Error('this peer has no slow call');
	const histogram = createHistogram({ lowest: 1, highest: 60e9, figures: 3 });
	const message = connection.prepare(payloadOf(payload));
	const begin = performance.now();
	const end = begin + nanoseconds / 1e6;

	async function callUntilEnd() {
		let last = performance.now();
		do {
			await connection.call(message);
			const now = performance.now();
			histogram.record(Math.max(1, Math.round((now - last) * 1e6)));
			last = now;
		} while (last < end);
	}

	await Promise.all(Array.from({ length: callers }, callUntilEnd));
	const seconds = (performance.now() - begin) / 1e3;
	const at = (percent) => histogram.percentile(percent) / 1e3;
	return { calls: histogram.count, seconds, p50_us: at(50), p99_us: at(99), p999_us: at(99.9) };
}
