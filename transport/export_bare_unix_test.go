//go:build unix

package transport

import "sync"

// BareStream is the end of a connection without frames.
type BareStream struct {
	s stream
	r reader

	writing sync.Mutex // who has seen its bytes arrive may write while that write returns
}

// BareForTest takes the bytes below a connection that has not been read.
func BareForTest(c Conn) *BareStream { return &BareStream{s: c.(*framed).stream} }

func (b *BareStream) Read(p []byte) (int, error) {
	for {
		if n := copy(p, b.r.pending()); n > 0 {
			b.r.r += n
			return n, nil
		}
		b.r.idle()
		if err := b.s.read(&b.r); err != nil {
			return 0, err
		}
	}
}

func (b *BareStream) Write(p []byte) (int, error) {
	b.writing.Lock()
	defer b.writing.Unlock()
	if err := b.s.write(p, new(patience)); err != nil {
		return 0, err
	}
	return len(p), nil
}

// CloseWrite ends what is sent and goes on receiving.
func (b *BareStream) CloseWrite() error {
	p, ok := b.s.(*polled)
	if !ok {
		p = b.s.(interface{ below() *polled }).below()
	}
	if files, ok := p.end.(*filePair); ok {
		return files.out.Close()
	}
	return p.end.(interface{ closeWrite() error }).closeWrite()
}

func (b *BareStream) Close() error { return b.s.close() }
