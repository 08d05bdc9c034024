// Gaps: what of a stream a subscription has lost.

/** MOST_GAPS bounds the streams of which gaps are remembered. */
const MOST_GAPS = 4096;

/** gapBefore returns what is missing between two places, if anything is. */
export function gapBefore(start, last) {
  if (start.epoch !== last.epoch) return { from: last.seq + 1, to: undefined, reason: 'restarted', count: undefined };
  if (start.seq > last.seq + 1) return { from: last.seq + 1, to: start.seq - 1, reason: 'lost', count: start.seq - 1 - last.seq };
  return undefined;
}

/** gapAfter is what of a gap comes after an event; undefined if nothing does. */
export function gapAfter(gap, seq) {
  if (gap.to !== undefined && gap.to <= seq) return undefined;
  if (gap.from > seq) return gap;
  return { ...gap, from: seq + 1, count: gap.to === undefined || gap.count === undefined ? gap.count : Math.min(gap.count, gap.to - seq) };
}

/** lostIn is how many events were lost in a gap; undefined if nobody knows. */
export const lostIn = ({ from, to, count }) => count ?? (to === undefined ? undefined : to - from + 1);

/** noteGap adds a gap to those that are known, by stream. */
export function noteGap(gaps, stream, gap) {
  const known = gaps.get(stream);
  if (known === undefined) {
    if (gaps.size < MOST_GAPS) gaps.set(stream, { ...gap });
    return;
  }
  known.from = Math.min(known.from, gap.from);
  known.to = known.to === undefined || gap.to === undefined ? undefined : Math.max(known.to, gap.to);
  known.count = known.count === undefined || gap.count === undefined ? undefined : known.count + gap.count;
  known.reason = gap.reason;
}

/** takeGap gives an event the gap before it, if there is one. */
export function takeGap(gaps, event) {
  const gap = gaps.get(event.stream);
  if (gap === undefined) return;
  gaps.delete(event.stream);
  if (event.gap === undefined) event.gap = gap;
  else event.gap = { ...gap, to: event.gap.to, reason: event.gap.reason, count: gap.count === undefined || event.gap.count === undefined ? undefined : gap.count + event.gap.count };
}
