/** What ../payload.go has under the same names, as text. */
const small = '{"orderId":456,"customer":"Ada Lovelace","total":99.99,"items":["tea","rusk","jam"],"note":"parcel"}';
const words = 'handle with care and keep upright; ';

export const smallSize = small.length;

export function payloadOf(size) {
	const more = Math.max(size - smallSize, 0);
	const note = words.repeat(Math.ceil(more / words.length)).slice(0, more);
	return small.slice(0, -2) + note + small.slice(-2);
}

/** Throws unless the object that came back is the one that was sent. */
export function checkObject(sent, received) {
	if (received?.orderId !== sent.orderId || received.note.length !== sent.note.length || received.items.length !== sent.items.length) {
		throw new TypeError(`received another object: ${JSON.stringify(received)?.slice(0, 200)}`);
	}
}

/** Throws unless the bytes that came back are those that were sent, by a look at both ends. */
export function checkBytes(sent, received) {
	const n = sent.length;
	if (received.length !== n || !same(sent, received, 0, 256) || !same(sent, received, Math.max(n - 256, 0), n)) {
		throw new TypeError(`sent ${n} bytes, received ${received.length}`);
	}
}

function same(a, b, from, to) {
	return a.subarray(from, to).equals(b.subarray(from, to));
}
