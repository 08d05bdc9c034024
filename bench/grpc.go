//go:build !solo || grpc

package main

import (
	"context"
	"net"
	"path/filepath"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

// The peer is grpc-go with its defaults over a Unix socket. The message is the
// well-known BytesValue, encoded by the generated code of protobuf-go; the
// service description is what protoc-gen-go-grpc would write.
func init() {
	register(&peer{
		name:    "grpc-go",
		program: "grpc",
		module:  "google.golang.org/grpc",
		serve: func(dir, _ string) (string, error) {
			path := filepath.Join(dir, "grpc.sock")
			l, err := net.Listen("unix", path)
			if err != nil {
				return "", err
			}
			s := grpc.NewServer()
			s.RegisterService(&echoDesc, echoServer{})
			go s.Serve(l)
			return "unix:" + path, nil
		},
		dial: func(addr string) (conn, error) {
			c, err := grpc.NewClient(addr, grpc.WithTransportCredentials(insecure.NewCredentials()))
			if err != nil {
				return nil, err
			}
			return grpcConn{c}, nil
		},
	})
}

const echoMethod = "/bench.Echo/Echo"

type grpcConn struct{ c *grpc.ClientConn }

func (c grpcConn) call(p []byte) ([]byte, error) {
	out := new(wrapperspb.BytesValue)
	err := c.c.Invoke(context.Background(), echoMethod, &wrapperspb.BytesValue{Value: p}, out)
	return out.Value, err
}

func (c grpcConn) close() { c.c.Close() }

type echoer interface {
	echo(context.Context, *wrapperspb.BytesValue) (*wrapperspb.BytesValue, error)
}

type echoServer struct{}

func (echoServer) echo(_ context.Context, in *wrapperspb.BytesValue) (*wrapperspb.BytesValue, error) {
	return &wrapperspb.BytesValue{Value: in.Value}, nil
}

var echoDesc = grpc.ServiceDesc{
	ServiceName: "bench.Echo",
	HandlerType: (*echoer)(nil),
	Methods:     []grpc.MethodDesc{{MethodName: "Echo", Handler: handleEcho}},
}

func handleEcho(srv any, ctx context.Context, decode func(any) error, intercept grpc.UnaryServerInterceptor) (any, error) {
	in := new(wrapperspb.BytesValue)
	if err := decode(in); err != nil {
		return nil, err
	}
	handle := func(ctx context.Context, in any) (any, error) {
		return srv.(echoer).echo(ctx, in.(*wrapperspb.BytesValue))
	}
	if intercept == nil {
		return handle(ctx, in)
	}
	return intercept(ctx, in, &grpc.UnaryServerInfo{Server: srv, FullMethod: echoMethod}, handle)
}
