package streams

import (
	"context"
	"iter"

	"github.com/ekkojs/ipc"
)

// Service is streams: what its manifest promises, it does.
type Service struct {
	ipc *ipc.Service
}

var _ Handler = (*Service)(nil)

// Serve answers calls until ctx ends. m is the manifest, as ipc.LoadManifest
// reads it; a nil *ipc.ServiceOptions means the defaults.
func Serve(ctx context.Context, m *ipc.Manifest, opts *ipc.ServiceOptions) error {
	service := &Service{ipc.NewService(m, opts)}
	Register(service.ipc, service)
	return service.ipc.Serve(ctx)
}

// Anything answers anything.
func (s *Service) Anything(ctx context.Context, args []ipc.Raw, items iter.Seq2[ipc.Raw, error]) (result any, err error) {
	return result, ipc.Errorf(ipc.CodeUnimplemented, "anything is not written yet")
}

// Both answers both.
func (s *Service) Both(ctx context.Context, a int64, theItems *[]int64) iter.Seq2[*int64, error] {
	return func(yield func(*int64, error) bool) {
		var item *int64
		yield(item, ipc.Errorf(ipc.CodeUnimplemented, "both is not written yet"))
	}
}

// Copy answers copy.
func (s *Service) Copy(ctx context.Context, items iter.Seq2[ipc.Raw, error], send func(item any) error) error {
	return ipc.Errorf(ipc.CodeUnimplemented, "copy is not written yet")
}

// Everything answers everything.
func (s *Service) Everything(ctx context.Context, args []ipc.Raw) iter.Seq2[any, error] {
	return func(yield func(any, error) bool) {
		var item any
		yield(item, ipc.Errorf(ipc.CodeUnimplemented, "everything is not written yet"))
	}
}

// Export answers export.
//
// All users, one by one.
func (s *Service) Export(ctx context.Context, limit int64) iter.Seq2[User, error] {
	return func(yield func(User, error) bool) {
		var item User
		yield(item, ipc.Errorf(ipc.CodeUnimplemented, "export is not written yet"))
	}
}

// Import answers import.
func (s *Service) Import(ctx context.Context, group *string, items iter.Seq2[User, error]) (result int64, err error) {
	return result, ipc.Errorf(ipc.CodeUnimplemented, "import is not written yet")
}

// Shout answers shout.
func (s *Service) Shout(ctx context.Context, loud bool, items iter.Seq2[string, error], send func(item string) error) error {
	return ipc.Errorf(ipc.CodeUnimplemented, "shout is not written yet")
}

// Sum answers sum.
func (s *Service) Sum(ctx context.Context, theItems int64, items iter.Seq2[int64, error]) (result any, err error) {
	return result, ipc.Errorf(ipc.CodeUnimplemented, "sum is not written yet")
}

// Whatever answers whatever.
func (s *Service) Whatever(ctx context.Context, args []ipc.Raw, items iter.Seq2[ipc.Raw, error], send func(item any) error) error {
	return ipc.Errorf(ipc.CodeUnimplemented, "whatever is not written yet")
}
