package transport

// HalfClosed reports whether the peer, whose stream has ended, still reads:
// it has closed its sending side only. Where that cannot be told (on TCP a
// peer that is gone looks the same) it reports false.
func (c *framed) HalfClosed() bool {
	s, ok := c.stream.(interface{ peerReads() bool })
	return ok && c.peer.Known && s.peerReads()
}
