//go:build unix

package transport

// BareStream is the end of a connection without frames.
type BareStream struct {
	s stream
	r reader
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
	if err := b.s.write(p, new(patience)); err != nil {
		return 0, err
	}
	return len(p), nil
}

// CloseWrite ends what is sent and goes on receiving.
func (b *BareStream) CloseWrite() error {
	if h, ok := b.s.(interface{ closeWrite() error }); ok {
		return h.closeWrite()
	}
	return b.s.(*polled).end.(*filePair).out.Close()
}

func (b *BareStream) Close() error { return b.s.close() }
