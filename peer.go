package ipc

import (
	"context"

	"github.com/ekkojs/ipc/internal/session"
	"github.com/ekkojs/ipc/wire"
)

// Peer is the client at the other end of a request's connection. A service
// calls it back over the same connection: what a client offers is
// ClientOptions.Methods. Its methods may be called at any time from any
// goroutine, also after the request; they fail when the client is gone.
type Peer struct {
	session *session.Session
	caller  Caller
}

// Peer returns the client that sent the request; nil on a client.
func (r *Request) Peer() *Peer {
	if r.from == nil {
		return nil
	}
	return &Peer{r.from, r.Caller}
}

// peerKey finds the Peer in a handler's context.
type peerKey struct{}

// PeerOf returns the client whose request a handler's ctx belongs to: for
// typed handlers, which have no Request. It is nil elsewhere.
func PeerOf(ctx context.Context) *Peer {
	peer, _ := ctx.Value(peerKey{}).(*Peer)
	return peer
}

// Caller returns who the client is.
func (p *Peer) Caller() Caller { return p.caller }

// Done returns a channel that is closed when the connection has ended.
func (p *Peer) Done() <-chan struct{} { return p.session.Done() }

// Call asks the client for method with args, as Client.Call asks a service.
// METHOD_NOT_FOUND means that the client does not offer it. A call without a
// deadline takes 30 seconds at most.
func (p *Peer) Call(ctx context.Context, method string, args ...any) (Raw, error) {
	if err := wire.CheckName(method); err != nil {
		return nil, err
	}
	text, err := argumentsText(args)
	if err != nil {
		return nil, err
	}
	if text != nil {
		defer text.Release()
	}
	return p.session.Call(ctx, &session.Request{Type: wire.TypeRequest, Action: []byte(method), Text: text})
}
