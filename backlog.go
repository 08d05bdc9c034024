package ipc

import (
	"strings"
	"time"
	"unsafe"

	"github.com/ekkojs/ipc/wire"
)

// backlog is the events that wait for a reader, oldest first. There may be
// millions of them a second, so what waits has no pointers in it: the bytes
// of many events stand one after the other in a block, which is never written
// to again, and so the texts and the data of an Event are parts of it.
type backlog struct {
	blocks []*block
	count  int
	held   int      // bytes of data
	free   []*block // read, to be filled again; at most freeBlocks
}

// block is some events, in order. Its bytes are never written to again, but
// by a reader who has had them all and promised nobody that they stay.
type block struct {
	bytes   []byte // their ids and data
	parcels []parcel
	first   int // of parcels that has not been taken
	kinds   []*eventKind
	gaps    []*Gap
}

// parcel is one event of a block.
type parcel struct {
	seq        uint64
	time       int64 // in nanoseconds since 1970; 0: not known
	connection uint64
	at         int32 // in bytes: the id, and then the data
	id, data   int32 // their lengths
	kind       int32
	deliveries int32
	gap        int32 // in gaps, from 1; 0: none
	flags      parcelFlags
}

type parcelFlags uint8

const (
	parcelSnapshot parcelFlags = 1 << iota
	parcelRedelivered
)

// The sizes of a block. The first one of a subscription that has been idle is
// small, since there may be many such.
const (
	smallBlock   = 512
	largeBlock   = 32 << 10
	blockParcels = 256
	freeBlocks   = 8
)

// arrival is an event as it comes.
type arrival struct {
	kind       *eventKind
	message    *wire.Message
	meta       *wire.Metadata
	time       int64
	connection uint64
}

// push adds an event. gap is what was lost before it.
func (b *backlog) push(a *arrival, gap *Gap) {
	m, md := a.message, a.meta
	bl := b.room(len(m.MessageID) + len(m.Data))
	p := parcel{
		seq: md.Seq, time: a.time, connection: a.connection,
		at: int32(len(bl.bytes)), id: int32(len(m.MessageID)), data: int32(len(m.Data)),
		kind: bl.kindOf(a.kind), deliveries: int32(md.Deliveries),
	}
	if md.Snapshot {
		p.flags |= parcelSnapshot
	}
	if md.Redelivered {
		p.flags |= parcelRedelivered
	}
	if gap != nil {
		bl.gaps = append(bl.gaps, gap)
		p.gap = int32(len(bl.gaps))
	}
	bl.bytes = append(append(bl.bytes, m.MessageID...), m.Data...)
	bl.parcels = append(bl.parcels, p)
	b.count++
	b.held += len(m.Data)
}

// room returns the block that an event of so many bytes goes to.
func (b *backlog) room(size int) *block {
	want := smallBlock
	if n := len(b.blocks); n > 0 {
		last := b.blocks[n-1]
		if len(last.bytes)+size <= cap(last.bytes) && len(last.parcels) < blockParcels {
			return last
		}
		want = min(4*cap(last.bytes), largeBlock)
	}
	bl := b.fresh()
	if cap(bl.bytes) < max(size, want) {
		bl.bytes = make([]byte, 0, max(size, want))
	}
	if bl.parcels == nil {
		bl.parcels = make([]parcel, 0, min(4+want/128, blockParcels))
	}
	b.blocks = append(b.blocks, bl)
	return bl
}

// fresh returns an empty block, the largest of those that have been read if
// there are any.
func (b *backlog) fresh() *block {
	last := len(b.free) - 1
	if last < 0 {
		return new(block)
	}
	best := last
	for i, bl := range b.free {
		if cap(bl.bytes) > cap(b.free[best].bytes) {
			best = i
		}
	}
	bl := b.free[best]
	b.free[best], b.free[last] = b.free[last], nil
	b.free = b.free[:last]
	return bl
}

// freed takes back a block that has been read. passing says that nothing of
// it is kept.
func (b *backlog) freed(bl *block, passing bool) {
	if bl == nil || len(b.free) == freeBlocks || len(bl.bytes) > largeBlock {
		return
	}
	clear(bl.kinds)
	clear(bl.gaps)
	*bl = block{bytes: bl.bytes[:0], parcels: bl.parcels[:0], kinds: bl.kinds[:0], gaps: bl.gaps[:0]}
	if !passing {
		bl.bytes = nil
	}
	b.free = append(b.free, bl)
}

func (bl *block) kindOf(k *eventKind) int32 {
	for i := len(bl.kinds) - 1; i >= 0; i-- {
		if bl.kinds[i] == k {
			return int32(i)
		}
	}
	bl.kinds = append(bl.kinds, k)
	return int32(len(bl.kinds) - 1)
}

// drop removes the oldest event, of which there must be one, and returns its
// stream and what is lost with it.
func (b *backlog) drop() (stream string, lost *Gap) {
	bl := b.blocks[0]
	p := &bl.parcels[bl.first]
	lost = &Gap{From: p.seq, To: p.seq, Count: 1, Reason: GapSlowConsumer}
	if p.gap > 0 {
		lost = bl.gaps[p.gap-1].and(lost)
	}
	stream = bl.kinds[p.kind].stream
	b.count--
	b.held -= int(p.data)
	if bl.first++; bl.first == len(bl.parcels) {
		b.blocks = b.blocks[1:]
	}
	return stream, lost
}

// take removes the oldest block; nil if nothing waits. The block before has
// been read; passing says that nothing of it is kept.
func (b *backlog) take(before *block, passing bool) *block {
	b.freed(before, passing)
	if len(b.blocks) == 0 {
		return nil
	}
	bl := b.blocks[0]
	b.blocks[0] = nil
	if b.blocks = b.blocks[1:]; len(b.blocks) == 0 {
		b.blocks = nil
	}
	for _, p := range bl.parcels[bl.first:] {
		b.count--
		b.held -= int(p.data)
	}
	return bl
}

// count is how many events have not been taken.
func (bl *block) count() int { return len(bl.parcels) - bl.first }

// cost is what the events that have not been taken count for in a window.
func (bl *block) cost() (n int) {
	for _, p := range bl.parcels[bl.first:] {
		n += max(int(p.data), eventCost)
	}
	return n
}

// insertGap puts a gap before the first event of a stream that came by a
// connection, and reports whether there is one.
func (b *backlog) insertGap(stream string, connection uint64, g *Gap) bool {
	for _, bl := range b.blocks {
		for i := bl.first; i < len(bl.parcels); i++ {
			if p := &bl.parcels[i]; p.connection == connection && bl.kinds[p.kind].stream == stream {
				bl.setGap(p, g)
				return true
			}
		}
	}
	return false
}

// addGaps puts gaps, by stream, before the first events of those, and removes
// them from the map.
func (bl *block) addGaps(gaps map[string]*Gap) {
	for i := bl.first; i < len(bl.parcels) && len(gaps) > 0; i++ {
		p := &bl.parcels[i]
		stream := bl.kinds[p.kind].stream
		if g := gaps[stream]; g != nil {
			bl.setGap(p, g)
			delete(gaps, stream)
		}
	}
}

func (bl *block) setGap(p *parcel, before *Gap) {
	if p.gap > 0 {
		bl.gaps[p.gap-1] = before.and(bl.gaps[p.gap-1])
		return
	}
	bl.gaps = append(bl.gaps, before)
	p.gap = int32(len(bl.gaps))
}

// next fills e with the block's next event. It is not ok if there is none. The
// ID and the data of e are part of the block.
func (bl *block) next(e *Event, sub *Subscription) (ok bool) {
	if bl == nil || bl.first == len(bl.parcels) {
		return false
	}
	p := &bl.parcels[bl.first]
	bl.first++
	k := bl.kinds[p.kind]
	e.Channel, e.Name, e.Stream, e.Epoch = k.channel, k.name, k.stream, k.epoch
	id, data := p.at+p.id, p.at+p.id+p.data
	e.ID, e.Data = "", nil
	if p.id > 0 {
		e.ID = unsafe.String(&bl.bytes[p.at], int(p.id)) // nobody writes there any more
	}
	if p.data > 0 {
		e.Data = Raw(bl.bytes[id:data:data])
	}
	e.Time = time.Time{}
	if p.time != 0 {
		e.Time = time.Unix(0, p.time).UTC()
	}
	e.Seq, e.Gap = p.seq, nil
	if p.gap > 0 {
		e.Gap = bl.gaps[p.gap-1]
	}
	e.Snapshot, e.Redelivered, e.Deliveries = p.flags&parcelSnapshot != 0, p.flags&parcelRedelivered != 0, int(p.deliveries)
	e.sub, e.connection = sub, p.connection
	return true
}

// shelf keeps texts, several in one piece of memory.
type shelf struct{ bytes []byte }

const shelfSize = 2 << 10

// keep returns a copy of text that stays.
func (s *shelf) keep(text string) string {
	if len(text) == 0 || len(text) > shelfSize/8 {
		return strings.Clone(text)
	}
	if len(text) > len(s.bytes) {
		s.bytes = make([]byte, shelfSize)
	}
	n := copy(s.bytes, text)
	kept := unsafe.String(&s.bytes[0], n) // nobody writes there any more
	s.bytes = s.bytes[n:]
	return kept
}
