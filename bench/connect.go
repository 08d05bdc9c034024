//go:build !solo || connect

package main

import (
	"context"
	"net"
	"net/http"
	"path/filepath"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

// The peer is connect-go with its own protocol over HTTP/2 without TLS on a
// Unix socket. The message is that of the peer grpc-go. The server is told to
// allow more than HTTP/2's usual 250 streams, or 256 callers would get a
// second connection.
func init() {
	register(&peer{
		name:    "connect-go",
		program: "connect",
		module:  "connectrpc.com/connect",
		serve: func(dir, _ string) (string, error) {
			path := filepath.Join(dir, "connect.sock")
			l, err := net.Listen("unix", path)
			if err != nil {
				return "", err
			}
			mux := http.NewServeMux()
			mux.Handle(connectProcedure, connect.NewUnaryHandler(connectProcedure, connectEcho))
			s := &http.Server{Handler: mux, Protocols: plainHTTP2(), HTTP2: &http.HTTP2Config{MaxConcurrentStreams: 4096}}
			go s.Serve(l)
			return path, nil
		},
		dial: func(path string) (conn, error) {
			t := &http.Transport{
				Protocols: plainHTTP2(),
				DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
					return new(net.Dialer).DialContext(ctx, "unix", path)
				},
			}
			c := connect.NewClient[wrapperspb.BytesValue, wrapperspb.BytesValue](&http.Client{Transport: t}, "http://bench"+connectProcedure)
			return connectConn{c, t}, nil
		},
	})
}

const connectProcedure = "/bench.Echo/Echo"

func plainHTTP2() *http.Protocols {
	p := new(http.Protocols)
	p.SetUnencryptedHTTP2(true)
	return p
}

func connectEcho(_ context.Context, r *connect.Request[wrapperspb.BytesValue]) (*connect.Response[wrapperspb.BytesValue], error) {
	return connect.NewResponse(&wrapperspb.BytesValue{Value: r.Msg.Value}), nil
}

type connectConn struct {
	c *connect.Client[wrapperspb.BytesValue, wrapperspb.BytesValue]
	t *http.Transport
}

func (c connectConn) call(p []byte) ([]byte, error) {
	r, err := c.c.CallUnary(context.Background(), connect.NewRequest(&wrapperspb.BytesValue{Value: p}))
	if err != nil {
		return nil, err
	}
	return r.Msg.Value, nil
}

func (c connectConn) close() { c.t.CloseIdleConnections() }
