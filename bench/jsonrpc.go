//go:build !solo || jsonrpc

package main

import (
	"encoding/json"
	"net"
	"net/rpc"
	"net/rpc/jsonrpc"
	"path/filepath"
)

// The peer is the standard library's net/rpc with its JSON codec over a
// Unix socket. The payload is a json.RawMessage, so that it is not taken
// apart.
func init() {
	register(&peer{
		name:    "net/rpc+jsonrpc",
		program: "jsonrpc",
		serve: func(dir, _ string) (string, error) {
			path := filepath.Join(dir, "jsonrpc.sock")
			l, err := net.Listen("unix", path)
			if err != nil {
				return "", err
			}
			s := rpc.NewServer()
			if err := s.Register(new(Echo)); err != nil {
				return "", err
			}
			go acceptEach(l, func(c net.Conn) { s.ServeCodec(jsonrpc.NewServerCodec(c)) })
			return path, nil
		},
		dial: func(addr string) (conn, error) {
			c, err := jsonrpc.Dial("unix", addr)
			if err != nil {
				return nil, err
			}
			return jsonrpcConn{c}, nil
		},
	})
}

// Echo is the service that net/rpc finds by reflection.
type Echo struct{}

// Echo returns its argument.
func (*Echo) Echo(in *json.RawMessage, out *json.RawMessage) error {
	*out = *in
	return nil
}

type jsonrpcConn struct{ c *rpc.Client }

func (c jsonrpcConn) call(p []byte) ([]byte, error) {
	in, out := json.RawMessage(p), json.RawMessage(nil)
	err := c.c.Call("Echo.Echo", &in, &out)
	return out, err
}

func (c jsonrpcConn) close() { c.c.Close() }
