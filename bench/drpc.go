//go:build !solo || drpc

package main

import (
	"context"
	"net"
	"path/filepath"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/wrapperspb"
	"storj.io/drpc"
	"storj.io/drpc/drpcconn"
	"storj.io/drpc/drpcmux"
	"storj.io/drpc/drpcserver"
)

// The peer is drpc with its defaults over a Unix socket. The message is that
// of the peer grpc-go; encoding and description are what its generator would
// write. A connection of drpc carries one call at a time: callers queue for
// it, which is what one gets without a pool of connections.
func init() {
	register(&peer{
		name:    "drpc",
		program: "drpc",
		module:  "storj.io/drpc",
		serve: func(dir, _ string) (string, error) {
			path := filepath.Join(dir, "drpc.sock")
			l, err := net.Listen("unix", path)
			if err != nil {
				return "", err
			}
			mux := drpcmux.New()
			if err := mux.Register(drpcServer{}, drpcDesc{}); err != nil {
				return "", err
			}
			go drpcserver.New(mux).Serve(context.Background(), l)
			return path, nil
		},
		dial: func(addr string) (conn, error) {
			c, err := net.Dial("unix", addr)
			if err != nil {
				return nil, err
			}
			return drpcConn{drpcconn.New(c)}, nil
		},
	})
}

const drpcMethod = "/bench.Echo/Echo"

type drpcConn struct{ c *drpcconn.Conn }

func (c drpcConn) call(p []byte) ([]byte, error) {
	out := new(wrapperspb.BytesValue)
	err := c.c.Invoke(context.Background(), drpcMethod, protobuf{}, &wrapperspb.BytesValue{Value: p}, out)
	return out.Value, err
}

func (c drpcConn) close() { c.c.Close() }

// protobuf is the encoding of drpc's messages.
type protobuf struct{}

// Marshal implements drpc.Encoding.
func (protobuf) Marshal(m drpc.Message) ([]byte, error) { return proto.Marshal(m.(proto.Message)) }

// Unmarshal implements drpc.Encoding.
func (protobuf) Unmarshal(b []byte, m drpc.Message) error {
	return proto.Unmarshal(b, m.(proto.Message))
}

type drpcServer struct{}

func (drpcServer) echo(_ context.Context, in *wrapperspb.BytesValue) (*wrapperspb.BytesValue, error) {
	return &wrapperspb.BytesValue{Value: in.Value}, nil
}

type drpcDesc struct{}

// NumMethods implements drpc.Description.
func (drpcDesc) NumMethods() int { return 1 }

// Method implements drpc.Description.
func (drpcDesc) Method(n int) (string, drpc.Encoding, drpc.Receiver, any, bool) {
	receive := func(srv any, ctx context.Context, in, _ any) (drpc.Message, error) {
		return srv.(drpcServer).echo(ctx, in.(*wrapperspb.BytesValue))
	}
	return drpcMethod, protobuf{}, receive, drpcServer.echo, n == 0
}
