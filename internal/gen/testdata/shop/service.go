package shop

import (
	"context"

	"github.com/ekkojs/ipc"
)

// Service is shop: what its manifest promises, it does.
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

// Buy answers buy.
func (s *Service) Buy(ctx context.Context, basket Basket) error {
	return ipc.Errorf(ipc.CodeUnimplemented, "buy is not written yet")
}

// Count answers count.
func (s *Service) Count(ctx context.Context) (result CountResult, err error) {
	return result, ipc.Errorf(ipc.CodeUnimplemented, "count is not written yet")
}

// Find answers find.
func (s *Service) Find(ctx context.Context, query FindQuery) (result *Order, err error) {
	return result, ipc.Errorf(ipc.CodeUnimplemented, "find is not written yet")
}

// Order answers order.
//
// Orders what is in the basket.
// Nothing is charged before it is sent.
func (s *Service) Order(ctx context.Context, basket Basket, copies int64, speed *string, note *string) (result Order, err error) {
	return result, ipc.Errorf(ipc.CodeUnimplemented, "order is not written yet")
}

// Raw answers raw.
func (s *Service) Raw(ctx context.Context, args []ipc.Raw) (result any, err error) {
	return result, ipc.Errorf(ipc.CodeUnimplemented, "raw is not written yet")
}
