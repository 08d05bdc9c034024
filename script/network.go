package script

import (
	"context"
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
		tap := o.Tap
		o.NewService = func(ctx context.Context, spec *ServiceSpec) (Service, error) {
			return newNetworkService(ctx, spec, tap)
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

func (c networkClient) Subscribe(ctx context.Context, pattern string, opts SubscribeOptions) (Subscription, error) {
	if err := opts.check(); err != nil {
		return nil, err
	}
	sub, err := c.Client.Subscribe(ctx, pattern, nil)
	if err != nil {
		return nil, err
	}
	return networkSubscription{sub}, nil
}

// check refuses what package ipc does not offer.
func (o SubscribeOptions) check() error {
	if o.Group != "" {
		return ipc.Errorf(ipc.CodeUnimplemented, "subscriptions in a group are not built in")
	}
	if from := string(o.From); from != "" && from != "null" && from != `"new"` {
		return ipc.Errorf(ipc.CodeUnimplemented, "subscriptions from %s are not built in", from)
	}
	return nil
}

type networkSubscription struct{ *ipc.Subscription }

func (s networkSubscription) Next(ctx context.Context) (*Event, error) {
	e, err := s.Subscription.Next(ctx)
	if err != nil {
		if errors.Is(err, ipc.ErrClosed) {
			err = ErrClosed
		}
		return nil, err
	}
	event := &Event{Name: e.Name, Data: e.Data, ID: e.ID, Time: e.Time, Seq: e.Seq, Epoch: e.Epoch}
	if e.Gap != nil {
		event.Gap = &Gap{From: e.Gap.From, To: e.Gap.To, Reason: e.Gap.Reason}
	}
	return event, nil
}

// networkService is an ipc.Service as the app uses it.
type networkService struct {
	*ipc.Service
	manifest *manifest.Manifest
	address  string
	ready    func(addresses []string, manifest []byte)
}

// newNetworkService serves the manifest given, or the one found by the name,
// or one that says no more than the names of the methods.
func newNetworkService(ctx context.Context, spec *ServiceSpec, tap *observe.Tap) (Service, error) {
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
			return nil, ipc.Errorf(ipc.CodeMethodNotFound, "the manifest of %s declares no method %q%s", spec.Name, name, hint)
		}
		if m.MethodByName(name).Stream != manifest.StreamNone {
			return nil, ipc.Errorf(ipc.CodeUnimplemented, "%s streams, and a script cannot serve such a method yet: leave it out, or serve %s by the library for Go", name, spec.Name)
		}
	}
	s := &networkService{manifest: m, address: spec.Address}
	s.Service = ipc.NewService(m, &ipc.ServiceOptions{
		Ready: func(addresses []string) { s.ready(addresses, m.Raw()) },
		Tap:   tap,
	})
	s.HandleDefault(func(ctx context.Context, r *ipc.Request) (any, error) {
		args, err := r.Args()
		if err != nil {
			return nil, err
		}
		if args == nil {
			args = []ipc.Raw{}
		}
		data, err := spec.Handle(ctx, &Request{Method: r.Method, Args: []byte(marshal(args)), Caller: []byte(marshal(callerFacts(r.Caller)))})
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
	if c.Known {
		facts["uid"], facts["gid"], facts["pid"] = c.UID, c.GID, c.PID
	}
	return facts
}

func (s *networkService) Serve(ctx context.Context, ready func(addresses []string, manifest []byte)) error {
	s.ready = ready
	if s.address != "" {
		return s.Service.Serve(ctx, s.address)
	}
	return s.Service.Serve(ctx)
}

func (s *networkService) Publish(ctx context.Context, event string, data []byte) error {
	return s.Service.Publish(ctx, event, ipc.Raw(data))
}

func (s *networkService) Subscribe(_ context.Context, pattern string, opts SubscribeOptions) (Subscription, error) {
	if err := opts.check(); err != nil {
		return nil, err
	}
	sub, err := s.Service.Subscribe(pattern, nil)
	if err != nil {
		return nil, err
	}
	return networkSubscription{sub}, nil
}
