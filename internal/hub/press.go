package hub

import (
	"sync"
	"sync/atomic"
)

// press makes the frames of one stream, each where it stays until the last
// queue has let go of it. Guarded by stream.mu.
type press struct {
	scratch scratch
	sheet   *sheet // being filled; nil before the first frame
}

// sheet is memory for some frames. It is used again when nobody has any of
// them.
type sheet struct {
	refs   atomic.Int32 // places in queues, and one while it is being filled
	frames []frame
	bytes  []byte
}

const (
	sheetFrames = 32
	sheetBytes  = 8 << 10
)

var sheets = sync.Pool{New: func() any {
	return &sheet{frames: make([]frame, 0, sheetFrames), bytes: make([]byte, 0, sheetBytes)}
}}

// frame returns m as a frame, with a reference for each of so many queues.
func (pr *press) frame(t *topic, m *message, queues int) *frame {
	size := EnvelopeRoom + len(m.data)
	if size > sheetBytes/2 {
		return &frame{topic: t, seq: m.seq, data: int32(len(m.data)), bytes: pr.scratch.append(make([]byte, 0, size), m)}
	}
	sh := pr.sheet
	if sh == nil || len(sh.frames) == sheetFrames || cap(sh.bytes)-len(sh.bytes) < size {
		sh = pr.turnOver()
	}
	start := len(sh.bytes)
	sh.bytes = pr.scratch.append(sh.bytes, m)
	sh.frames = append(sh.frames, frame{topic: t, seq: m.seq, data: int32(len(m.data)), bytes: sh.bytes[start:len(sh.bytes):len(sh.bytes)], sheet: sh})
	sh.refs.Add(int32(queues))
	return &sh.frames[len(sh.frames)-1]
}

// turnOver begins another sheet.
func (pr *press) turnOver() *sheet {
	if pr.sheet != nil {
		pr.sheet.release(1)
	}
	pr.sheet = sheets.Get().(*sheet)
	pr.sheet.refs.Store(1)
	return pr.sheet
}

// release gives back references.
func (sh *sheet) release(n int32) {
	if sh == nil || sh.refs.Add(-n) > 0 {
		return
	}
	clear(sh.frames)
	sh.frames, sh.bytes = sh.frames[:0], sh.bytes[:0]
	sheets.Put(sh)
}

// releaseAll gives back the references of frames, which mostly stand on the
// same sheet.
func releaseAll(frames []*frame) {
	for i := 0; i < len(frames); {
		sh, n := frames[i].sheet, int32(0)
		for ; i < len(frames) && frames[i].sheet == sh; i++ {
			n++
		}
		sh.release(n)
	}
}
