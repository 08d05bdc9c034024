package script

import (
	"context"
	"encoding/json"
	"errors"

	"github.com/ekkojs/ipc"
	"github.com/ekkojs/ipc/manifest"
	"github.com/ekkojs/ipc/observe"
)

// orNetwork fills in what leads to other processes, by package ipc.
func (o *Options) orNetwork() {
	if o.Resolve == nil {
		o.Resolve = resolveByRegistry
	}
	if o.Dial == nil {
		tap := o.Tap
		o.Dial = func(ctx context.Context, name string, stray func(error)) (Client, error) {
			return dialByName(ctx, name, stray, tap)
		}
	}
	if o.NewService == nil {
		tap, configure := o.Tap, o.Configure
		o.NewService = func(ctx context.Context, spec *ServiceSpec) (Service, error) {
			return newNetworkService(ctx, spec, tap, configure)
		}
	}
}

func resolveByRegistry(ctx context.Context, name string) (*Target, error) {
	c, err := ipc.NewClient(ctx, name, nil)
	if err != nil {
		return nil, err
	}
	defer c.Close()
	t := &Target{Name: name, Address: c.Address()}
	if m := c.Manifest(); m != nil {
		t.Manifest = m.Raw()
		t.Methods = m.MethodNames()
	}
	return t, nil
}

// networkClient is an ipc.Client as the app uses it.
type networkClient struct{ *ipc.Client }

func dialByName(ctx context.Context, name string, stray func(error), tap *observe.Tap) (Client, error) {
	c, err := ipc.Dial(ctx, name, &ipc.ClientOptions{
		Timeout: -1, // each call has a context of its own
		OnError: stray,
		Tap:     tap,
	})
	if err != nil {
		return nil, err
	}
	return networkClient{c}, nil
}

func (c networkClient) Call(ctx context.Context, method string, data []byte) ([]byte, error) {
	return c.Client.CallRaw(ctx, method, data)
}

func (c networkClient) Notify(ctx context.Context, method string, data []byte) error {
	var args []ipc.Raw
	if data != nil {
		if err := json.Unmarshal(data, &args); err != nil {
			return err
		}
	}
	values := make([]any, len(args))
	for i, arg := range args {
		values[i] = arg
	}
	return c.Client.Notify(ctx, method, values...)
}

func (c networkClient) Stream(ctx context.Context, method string, data []byte) (Stream, error) {
	stream, err := c.Client.StreamRaw(ctx, method, data)
	if err != nil {
		return nil, err
	}
	stream.CloseSend() // fails only with the stream
	return networkStream{stream}, nil
}

type networkStream struct{ *ipc.Stream }

func (s networkStream) Recv(ctx context.Context) ([]byte, error) { return s.Stream.Recv(ctx) }

func (c networkClient) Publish(ctx context.Context, event string, data []byte) error {
	return c.Client.Publish(ctx, event, ipc.Raw(data))
}

func (c networkClient) PublishWith(ctx context.Context, event string, data []byte, id string) ([]byte, error) {
	r, err := c.Client.PublishWith(ctx, event, ipc.Raw(data), &ipc.PublishOptions{ID: id})
	return receiptText(r, err)
}

func receiptText(r *ipc.Receipt, err error) ([]byte, error) {
	if err != nil {
		return nil, err
	}
	return []byte(marshal(r)), nil
}

func (c networkClient) SetWill(ctx context.Context, event string, data []byte) error {
	return c.Client.SetWill(ctx, event, ipc.Raw(data))
}

func (c networkClient) Subscribe(ctx context.Context, pattern string, opts SubscribeOptions) (Subscription, error) {
	o, err := opts.network()
	if err != nil {
		return nil, err
	}
	sub, err := c.Client.Subscribe(ctx, pattern, o)
	if err != nil {
		return nil, err
	}
	return networkSubscription{sub, opts.grouped(c.Manifest(), pattern)}, nil
}

// networkService is an ipc.Service as the app uses it.
type networkService struct {
	*ipc.Service
	manifest *manifest.Manifest
	address  string
	done     func() error // undoes what Options.Configure did; nil: nothing
	ready    func(addresses []string, manifest []byte)
}

// newNetworkService serves the manifest given, or the one found by the name,
// or one that says no more than the names of the methods.
func newNetworkService(ctx context.Context, spec *ServiceSpec, tap *observe.Tap, configure func(*manifest.Manifest, *ipc.ServiceOptions) (func() error, error)) (Service, error) {
	m, err := manifestOf(ctx, spec)
	if err != nil {
		return nil, err
	}
	for _, name := range spec.Methods {
		if m.MethodByName(name) == nil {
			hint := ""
			if near := m.Suggest(name); near != "" {
				hint = "; did you mean \"" + near + "\"?"
			}
			return nil, ipc.Errorf(ipc.CodeInvalidArgument, "the manifest of %s declares no method %q%s", spec.Name, name, hint)
		}
		if stream := m.MethodByName(name).Stream; stream != manifest.StreamNone && stream != manifest.StreamServer {
			return nil, ipc.Errorf(ipc.CodeUnimplemented, "the caller of %s streams, and a script cannot serve such a method yet: leave it out, or serve %s by the library for Go", name, spec.Name)
		}
	}
	s := &networkService{manifest: m, address: spec.Address}
	options := &ipc.ServiceOptions{
		Ready: func(addresses []string) { s.ready(addresses, m.Raw()) },
		Tap:   tap,

		MaxFrame: spec.MaxFrame,
	}
	if configure != nil {
		if s.done, err = configure(m, options); err != nil {
			return nil, err
		}
	}
	s.Service = ipc.NewService(m, options)
	s.HandleDefault(func(ctx context.Context, r *ipc.Request) (any, error) {
		args, err := r.Args()
		if err != nil {
			return nil, err
		}
		if args == nil {
			args = []ipc.Raw{}
		}
		request := &Request{Method: r.Method, Args: []byte(marshal(args)), Caller: []byte(marshal(callerFacts(r.Caller)))}
		if declared := m.MethodByName(r.Method); declared != nil && declared.Stream == manifest.StreamServer {
			request.Send = func(ctx context.Context, item []byte) error { return r.Send(ctx, ipc.Raw(item)) }
		}
		data, err := spec.Handle(ctx, request)
		if err != nil {
			return nil, err
		}
		return ipc.Raw(data), nil
	})
	return s, nil
}

func manifestOf(ctx context.Context, spec *ServiceSpec) (*manifest.Manifest, error) {
	if len(spec.Manifest) > 0 && string(spec.Manifest) != "null" {
		return manifest.Parse(spec.Manifest)
	}
	c, err := ipc.NewClient(ctx, spec.Name, nil)
	if err == nil {
		defer c.Close()
		if m := c.Manifest(); m != nil {
			return m, nil
		}
	} else if ipc.CodeOf(err) != ipc.CodeServiceNotFound {
		return nil, err
	}
	methods := map[string]any{}
	for _, name := range spec.Methods {
		methods[name] = map[string]any{}
	}
	return manifest.Parse([]byte(marshal(map[string]any{
		"service": map[string]any{"name": spec.Name, "version": "0.0.0"},
		"methods": methods,
	})))
}

// callerFacts are what JavaScript is told of a caller.
func callerFacts(c ipc.Caller) map[string]any {
	roles := c.Roles
	if roles == nil {
		roles = []string{}
	}
	facts := map[string]any{"known": c.Known, "roles": roles}
	switch {
	case c.SID != "":
		facts["sid"], facts["pid"] = c.SID, c.PID
	case c.Known:
		facts["uid"], facts["gid"], facts["pid"] = c.UID, c.GID, c.PID
	}
	if c.Certificate != nil {
		facts["certificate"] = map[string]any{"principal": c.Certificate.Principal(), "subject": c.Certificate.Subject, "fingerprint": c.Certificate.Fingerprint}
	}
	return facts
}

func (s *networkService) Serve(ctx context.Context, ready func(addresses []string, manifest []byte)) error {
	s.ready = ready
	err := s.serve(ctx)
	if s.done != nil {
		err = errors.Join(err, s.done())
	}
	return err
}

func (s *networkService) serve(ctx context.Context) error {
	if s.address != "" {
		return s.Service.Serve(ctx, s.address)
	}
	return s.Service.Serve(ctx)
}

func (s *networkService) Publish(ctx context.Context, event string, data []byte) error {
	return s.Service.Publish(ctx, event, ipc.Raw(data))
}

func (s *networkService) PublishWith(ctx context.Context, event string, data []byte, id string) ([]byte, error) {
	r, err := s.Service.PublishWith(ctx, event, ipc.Raw(data), &ipc.PublishOptions{ID: id})
	return receiptText(r, err)
}

func (s *networkService) Subscribe(_ context.Context, pattern string, opts SubscribeOptions) (Subscription, error) {
	o, err := opts.network()
	if err != nil {
		return nil, err
	}
	sub, err := s.Service.Subscribe(pattern, o)
	if err != nil {
		return nil, err
	}
	return networkSubscription{sub, opts.grouped(s.manifest, pattern)}, nil
}
