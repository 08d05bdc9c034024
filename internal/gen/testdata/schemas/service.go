package schemas

import (
	"context"

	"github.com/ekkojs/ipc"
)

// Service is schemas: what its manifest promises, it does.
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

// Draw answers draw.
func (s *Service) Draw(ctx context.Context, shapes []Shape, tree *Tree) (result Values, err error) {
	return result, ipc.Errorf(ipc.CodeUnimplemented, "draw is not written yet")
}

// List answers list.
func (s *Service) List(ctx context.Context, which []string) (result Prices, err error) {
	return result, ipc.Errorf(ipc.CodeUnimplemented, "list is not written yet")
}

// Move answers move.
func (s *Service) Move(ctx context.Context, to Address, by int64, how any) (result []MoveResult, err error) {
	return result, ipc.Errorf(ipc.CodeUnimplemented, "move is not written yet")
}

// Nothing answers nothing.
func (s *Service) Nothing(ctx context.Context, a any, b *[]any, theC *[]string) (result Nothing, err error) {
	return result, ipc.Errorf(ipc.CodeUnimplemented, "nothing is not written yet")
}
