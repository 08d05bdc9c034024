package names

import (
	"context"

	"github.com/ekkojs/ipc"
)

// Service is names-of.all-kinds: what its manifest promises, it does.
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

// X answers -.
func (s *Service) X(ctx context.Context) (result any, err error) {
	return result, ipc.Errorf(ipc.CodeUnimplemented, "- is not written yet")
}

// X9lives answers 9lives.
func (s *Service) X9lives(ctx context.Context) (result any, err error) {
	return result, ipc.Errorf(ipc.CodeUnimplemented, "9lives is not written yet")
}

// Close2 answers Close.
func (s *Service) Close2(ctx context.Context) (result any, err error) {
	return result, ipc.Errorf(ipc.CodeUnimplemented, "Close is not written yet")
}

// Promise answers Promise.
func (s *Service) Promise(ctx context.Context) (result Promise, err error) {
	return result, ipc.Errorf(ipc.CodeUnimplemented, "Promise is not written yet")
}

// X2 answers _.
func (s *Service) X2(ctx context.Context) (result any, err error) {
	return result, ipc.Errorf(ipc.CodeUnimplemented, "_ is not written yet")
}

// Await answers await.
func (s *Service) Await(ctx context.Context) (result any, err error) {
	return result, ipc.Errorf(ipc.CodeUnimplemented, "await is not written yet")
}

// Close3 answers close.
func (s *Service) Close3(ctx context.Context) (result any, err error) {
	return result, ipc.Errorf(ipc.CodeUnimplemented, "close is not written yet")
}

// Constructor answers constructor.
func (s *Service) Constructor(ctx context.Context) (result any, err error) {
	return result, ipc.Errorf(ipc.CodeUnimplemented, "constructor is not written yet")
}

// Default answers default.
func (s *Service) Default(ctx context.Context) (result any, err error) {
	return result, ipc.Errorf(ipc.CodeUnimplemented, "default is not written yet")
}

// Delete answers delete.
//
// Deletes */ it.
func (s *Service) Delete(ctx context.Context, theDelete Delete) (result bool, err error) {
	return result, ipc.Errorf(ipc.CodeUnimplemented, "delete is not written yet")
}

// Func answers func.
func (s *Service) Func(ctx context.Context, theFunc string, theString any, theError any, theNil any, theH any, theS any, theR any, theIpc any, theArgs any, x any, theContext any) (result any, err error) {
	return result, ipc.Errorf(ipc.CodeUnimplemented, "func is not written yet")
}

// On answers on.
func (s *Service) On(ctx context.Context, args []ipc.Raw) (result any, err error) {
	return result, ipc.Errorf(ipc.CodeUnimplemented, "on is not written yet")
}

// Publish answers publish.
func (s *Service) Publish(ctx context.Context) (result any, err error) {
	return result, ipc.Errorf(ipc.CodeUnimplemented, "publish is not written yet")
}

// Service answers service.
func (s *Service) Service(ctx context.Context) (result any, err error) {
	return result, ipc.Errorf(ipc.CodeUnimplemented, "service is not written yet")
}

// Subscribe answers subscribe.
func (s *Service) Subscribe(ctx context.Context, a float64) (result string, err error) {
	return result, ipc.Errorf(ipc.CodeUnimplemented, "subscribe is not written yet")
}

// Then answers then.
func (s *Service) Then(ctx context.Context) (result any, err error) {
	return result, ipc.Errorf(ipc.CodeUnimplemented, "then is not written yet")
}

// ToString answers toString.
func (s *Service) ToString(ctx context.Context) (result string, err error) {
	return result, ipc.Errorf(ipc.CodeUnimplemented, "toString is not written yet")
}

// Undefined answers undefined.
func (s *Service) Undefined(ctx context.Context) (result any, err error) {
	return result, ipc.Errorf(ipc.CodeUnimplemented, "undefined is not written yet")
}

// UserGet answers user-get.
func (s *Service) UserGet(ctx context.Context, this string, arguments string) (result any, err error) {
	return result, ipc.Errorf(ipc.CodeUnimplemented, "user-get is not written yet")
}

// UserGet2 answers user.get.
func (s *Service) UserGet2(ctx context.Context, userID float64, userID2 float64, theCtx string, theC string, theType string) (result User, err error) {
	return result, ipc.Errorf(ipc.CodeUnimplemented, "user.get is not written yet")
}
