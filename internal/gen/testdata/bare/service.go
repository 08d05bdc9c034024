package bare

import (
	"context"

	"github.com/ekkojs/ipc"
)

// Service is bare: what its manifest promises, it does.
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
