package disk

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/ekkojs/ipc/store"
)

// openLog opens a log, whatever a crash or damage has left of it, or makes it.
func openLog(s *Store, name string, limits store.Limits) (*Log, error) {
	o := &s.options
	limits.Bytes = cmp.Or(max(limits.Bytes, 0), store.DefaultBytes)
	limits.Dedupe = cmp.Or(limits.Dedupe, store.DefaultDedupe)
	l := &Log{
		fs: o.fs, dir: filepath.Join(s.dir, dirName(name)), limits: limits,
		segmentBytes: max(min(o.SegmentBytes, limits.Bytes/8), MinSegmentBytes),
		maxWaiting:   o.MaxWaiting,
		unsafe:       o.unsafe,
	}
	if o.segment > 0 {
		l.segmentBytes = o.segment
	}
	l.idle.L = &l.mu
	l.ids.window = max(0, limits.Dedupe.Milliseconds())
	l.state.Name = strconv.QuoteToASCII(name) // JSON knows no other bytes than UTF-8
	l.working = true                          // nobody is to start the worker yet
	r := recovery{Log: l}
	if err := r.run(); err != nil {
		l.giveUp()
		return nil, fault(fmt.Sprintf("opening the log %q", name), err)
	}
	return l, nil
}

// giveUp closes what an opening that failed has opened.
func (l *Log) giveUp() {
	l.mark.timer.end()
	l.cursors.timer.end()
	for _, f := range []file{l.mark.file, l.cursors.file} {
		if f != nil {
			f.Close()
		}
	}
	for _, s := range l.open {
		s.file.Close()
	}
}

// recovery is the opening of a log. Nobody else knows the log meanwhile.
type recovery struct {
	*Log
	mark    marked
	sound   bool // the epoch may go on
	changed bool // the state file is not what it shall be
	found   []*found
}

// found is what was read of a segment.
type found struct {
	*segment
	size  int64
	holes []hole
	ids   []idEntry
	err   error
}

// hole is a run of numbers without records between two that are there.
type hole struct {
	from, to uint64
	// torn: no record behind it begins a batch. If nobody was told that they
	// are kept, they are what a crash left of the last batch.
	torn bool
}

func (r *recovery) run() error {
	if err := r.fs.place(r.dir, false); err != nil {
		return err
	}
	names, err := r.fs.list(r.dir)
	if err != nil {
		return err
	}
	if err := r.readState(names); err != nil {
		return err
	}
	if r.mark, err = readMark(r.fs, r.path("mark")); err != nil {
		return err
	}
	r.sound = r.sound && r.mark.sound
	if err := r.scan(names); err != nil {
		return err
	}
	if err := r.join(); err != nil {
		return err
	}
	return r.settle()
}

// readState reads the state file, or does without.
func (r *recovery) readState(names []string) error {
	st, found, err := readState(r.fs, r.path("state"))
	if err != nil {
		return err
	}
	name := r.state.Name
	if found && st.Name == name {
		r.state, r.sound = st, true
	} else {
		r.state.Salt = salt(rand.Uint64())
		if s, found := r.saltOfSegments(names); found {
			r.state.Salt = s
		}
		r.changed = true
	}
	r.salt = r.state.Salt
	r.seed = r.salt.seed()
	return nil
}

// saltOfSegments returns what most segments say.
func (r *recovery) saltOfSegments(names []string) (best salt, found bool) {
	votes := map[salt]int{}
	for _, name := range names {
		if _, ok := parseSegmentName(name); !ok {
			continue
		}
		b, err := readAll(r.fs, r.path(name), segmentHeader)
		if s, ok := parseSegmentHeader(b); err == nil && ok {
			if votes[s]++; votes[s] > votes[best] {
				best, found = s, true
			}
		}
	}
	return best, found
}

// scan reads all segments, a few at a time, and checks every record.
func (r *recovery) scan(names []string) error {
	for _, name := range names {
		if first, ok := parseSegmentName(name); ok {
			r.found = append(r.found, &found{segment: &segment{path: r.path(name), first: first, next: first, end: segmentHeader}})
		} else if strings.HasSuffix(name, ".new") {
			r.fs.remove(r.path(name)) // left by a crash
		}
	}
	slices.SortFunc(r.found, func(a, b *found) int { return cmp.Compare(a.first, b.first) })
	var group sync.WaitGroup
	limits := make([]uint64, len(r.found)) // now, for reading changes what they are taken from
	for i := range limits {
		limits[i] = r.limit(i)
	}
	slots := make(chan struct{}, max(2, min(8, runtime.GOMAXPROCS(0))))
	for i, f := range r.found {
		slots <- struct{}{}
		group.Go(func() {
			f.err = r.read(f, limits[i])
			<-slots
		})
	}
	group.Wait()
	for _, f := range r.found {
		if f.err != nil {
			return f.err
		}
	}
	return nil
}

// limit is the number below which those of segment i have to be.
func (r *recovery) limit(i int) uint64 {
	if i+1 < len(r.found) {
		return r.found[i+1].first
	}
	return math.MaxUint64
}

// read scans a segment, up to that number.
func (r *recovery) read(f *found, limit uint64) error {
	file, err := r.fs.open(f.path, os.O_RDONLY)
	if err != nil {
		return err
	}
	defer file.Close()
	if f.size, err = file.size(); err != nil {
		return err
	}
	*f.segment = segment{path: f.path, first: f.first, next: f.first, end: segmentHeader}
	f.holes, f.ids = nil, nil
	now := nowMilli()
	s := scanFile(file, segmentHeader, f.size, r.seed, f.first-1, limit)
	for s.next() {
		rec := &s.rec
		if rec.flags&flagBatch != 0 {
			for i := range f.holes {
				f.holes[i].torn = false
			}
		}
		if rec.seq != f.next {
			f.holes = append(f.holes, hole{from: f.next, to: rec.seq - 1, torn: rec.flags&flagBatch == 0})
		}
		f.add(rec.seq, rec.time, rec.size, s.at)
		if len(rec.id) > 0 {
			f.newestID = max(f.newestID, rec.kept)
			if r.ids.window > 0 && now-rec.kept < r.ids.window {
				f.ids = append(f.ids, idEntry{hashID(rec.id), rec.seq, rec.kept})
			}
		}
		if len(f.ids) >= 2*store.MaxIDs {
			f.ids = f.ids[:copy(f.ids, f.ids[store.MaxIDs:])]
		}
	}
	f.end = s.off // behind damage at the end, if only the header is there
	return s.err
}

// join puts the segments behind one another and finds what is missing.
func (r *recovery) join() error {
	if err := r.cutTorn(); err != nil {
		return err
	}
	r.first, r.next = 1, 1
	if r.mark.first > 0 && r.mark.first <= r.mark.next {
		r.first, r.next = r.mark.first, r.mark.first
	} else if len(r.found) > 0 {
		r.first, r.next = r.found[0].first, r.found[0].first
	}
	for i, f := range r.found {
		r.lose(r.next, f.first, f.name(), "what comes before this file is gone")
		for _, h := range f.holes {
			r.lose(h.from, h.to+1, f.name(), "damaged")
		}
		if i+1 < len(r.found) {
			end := r.limit(i)
			r.lose(f.next, end, f.name(), "damaged, or its end is gone")
			f.next = end
		}
		r.next = max(r.next, f.next)
		r.segments = append(r.segments, f.segment)
	}
	if r.next < r.mark.next {
		// Records were kept of which nothing is left.
		why := "the newest records are gone"
		r.lose(r.next, r.mark.next, "", why)
		r.next = r.mark.next
		r.sound = false
	}
	r.count()
	return nil
}

// cutTorn has the last batch not count when a crash has torn it.
func (r *recovery) cutTorn() error {
	if len(r.found) == 0 || !r.mark.sound {
		return nil
	}
	f := r.found[len(r.found)-1]
	for _, h := range f.holes {
		if h.torn && h.from >= r.mark.next {
			return r.read(f, h.from)
		}
	}
	return nil
}

func (r *recovery) lose(from, to uint64, file, why string) {
	if from = max(from, r.first); from >= to {
		return
	}
	if file != "" {
		why = fmt.Sprintf("%s: %s", file, why)
	}
	list := losses(r.state.Losses)
	r.changed = list.add(from, to-1, why) || r.changed
	r.state.Losses = list
}

// count counts what is there, and remembers its IDs.
func (r *recovery) count() {
	for _, f := range r.found {
		for _, e := range f.ids {
			r.ids.add(e.hash, e.seq, e.kept)
		}
		f.ids = nil
		switch {
		case f.next <= r.first:
			f.headCount, f.headBytes = f.count, f.bytes
		case f.first < r.first:
			f.headCount, f.headBytes = r.beforeLocked(f.segment, r.first)
		}
		count, bytes := f.live()
		r.messages += count
		r.bytes += bytes
	}
}

// settle makes the medium agree with what was found, and gets ready to write.
func (r *recovery) settle() error {
	l := r.Log
	if !r.sound {
		l.state.Epoch = newEpoch()
		r.changed = true
	}
	if r.changed {
		if err := l.state.write(l.fs, l.path("state")); err != nil {
			return err
		}
	}
	l.mark.fs, l.mark.path = l.fs, l.path("mark")
	if err := l.mark.begin(l.first, l.next, r.mark.gen); err != nil {
		return err
	}
	l.cursors.fs, l.cursors.path, l.cursors.roster, l.cursors.seed = l.fs, l.path("cursors"), l.path("roster"), l.seed
	if err := l.cursors.load(); err != nil {
		return err
	}
	if err := r.resume(); err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.working, l.tidy = false, true
	l.wakeLocked()
	return nil
}

// resume forces the last segment to the medium: whoever was killed may not
// have come to that. If it is whole it is added to.
func (r *recovery) resume() error {
	if len(r.found) == 0 {
		return nil
	}
	f := r.found[len(r.found)-1]
	if f.count == 0 {
		f.next = r.next
		return nil
	}
	file, err := r.fs.open(f.path, os.O_RDWR)
	if err != nil {
		return err
	}
	whole := len(f.holes) == 0 && f.next == r.next
	if whole && f.size != f.end {
		// Behind the last record may be what nobody was told to be kept.
		// Unless it goes for good, it could turn up behind what comes in its
		// place.
		err = file.truncate(f.end)
	}
	if err == nil && !r.unsafe {
		err = file.sync()
	}
	if err == nil && whole && f.end < r.segmentBytes {
		if f.file != nil {
			f.file.Close() // it was counted in, and is open for reading only
			r.open = slices.DeleteFunc(r.open, func(s *segment) bool { return s == f.segment })
		}
		f.file = file
		r.active = f.segment
		return nil
	}
	return errors.Join(err, file.Close())
}
