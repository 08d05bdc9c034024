package gen

import (
	"strings"

	"github.com/ekkojs/ipc/manifest"
)

func (w *goWriter) handler() {
	w.printf("// Handler is what %s has to do. Many goroutines call it at once.\ntype Handler interface {\n", w.manifest.Service.Name)
	for i, mt := range w.methods {
		if i > 0 {
			w.WriteString("\n")
		}
		c := w.spelled[mt]
		w.comment(mt, c.name+" answers "+mt.Name+".")
		w.printf("\t%s%s\n", c.name, w.answers(mt, c))
	}
	w.printf("}\n\n")
}

// answers is what a method of a Handler takes and returns.
func (w *goWriter) answers(mt *method, c goCall) string {
	list := c.list(c.given)
	if mt.Parameters == nil {
		list += ", args []ipc.Raw"
	}
	if mt.reads() {
		list += ", items iter.Seq2[" + c.received(c.items) + ", error]"
	}
	switch {
	case mt.Stream == manifest.StreamBoth:
		return "(" + list + ", send func(item " + c.sent(c.result) + ") error) error"
	case mt.streams():
		return "(" + list + ") iter.Seq2[" + c.sent(c.result) + ", error]"
	case c.silent:
		return "(" + list + ") error"
	}
	return "(" + list + ") (result " + c.sent(c.result) + ", err error)"
}

func (w *goWriter) register() {
	w.printf("// Register makes h answer the calls of s.\nfunc Register(s *ipc.Service, h Handler) {\n")
	for _, mt := range w.methods {
		w.registerOne(mt, w.spelled[mt])
	}
	w.printf("}\n\n")
}

func (w *goWriter) registerOne(mt *method, c goCall) {
	list := "(ctx"
	for _, name := range c.parameters {
		list += ", " + name
	}
	if mt.Parameters == nil {
		list += ", args"
	}
	switch {
	case mt.Stream == manifest.StreamBoth:
		w.printf("\tipc.HandleItems(s, %s, func(ctx context.Context, r *ipc.Request, items iter.Seq2[%s, error]) (any, error) {\n", w.quoted(mt.Name), c.received(c.items))
		w.decode(mt, c, "nil")
		w.printf("\t\treturn nil, h.%s%s, items, func(item %s) error { return r.Send(ctx, item) })\n", c.name, list, c.sent(c.result))
	case mt.reads():
		w.printf("\tipc.HandleItems(s, %s, func(ctx context.Context, r *ipc.Request, items iter.Seq2[%s, error]) (result %s, err error) {\n", w.quoted(mt.Name), c.received(c.items), c.sent(c.result))
		w.decode(mt, c, "result")
		w.printf("\t\treturn h.%s%s, items)\n", c.name, list)
	case mt.streams():
		w.printf("\ts.Handle(%s, func(ctx context.Context, r *ipc.Request) (any, error) {\n", w.quoted(mt.Name))
		w.decode(mt, c, "nil")
		w.printf("\t\tfor item, err := range h.%s%s) {\n\t\t\tif err != nil {\n\t\t\t\treturn nil, err\n\t\t\t}\n", c.name, list)
		w.printf("\t\t\tif err := r.Send(ctx, item); err != nil {\n\t\t\t\treturn nil, err\n\t\t\t}\n\t\t}\n\t\treturn nil, nil\n")
	default:
		w.printf("\ts.Handle(%s, func(ctx context.Context, r *ipc.Request) (any, error) {\n", w.quoted(mt.Name))
		w.decode(mt, c, "nil")
		nothing := ""
		if c.silent {
			nothing = "nil, "
		}
		w.printf("\t\treturn %sh.%s%s)\n", nothing, c.name, list)
	}
	w.printf("\t})\n")
}

// decode writes the taking of the arguments; zero is what an error goes with.
func (w *goWriter) decode(mt *method, c goCall, zero string) {
	if mt.Parameters == nil {
		w.printf("\t\targs, err := r.Args()\n\t\tif err != nil {\n\t\t\treturn %s, err\n\t\t}\n", zero)
		return
	}
	if len(c.parameters) == 0 {
		return
	}
	for i, name := range c.parameters {
		w.printf("\t\tvar %s %s\n", name, c.given[i])
	}
	w.printf("\t\tif err := r.Decode(&%s); err != nil {\n\t\t\treturn %s, err\n\t\t}\n", strings.Join(c.parameters, ", &"), zero)
}

// publishers are what a service publishes its events by.
func (w *goWriter) publishers() {
	for _, e := range w.events {
		name := unique("Publish"+goName(e.Name), w.taken)
		w.eventComment(e, name+" publishes "+e.Name+" to the subscribers of s.")
		w.printf("func %s(ctx context.Context, s *ipc.Service, data %s) error {\n\treturn s.Publish(ctx, %s, data)\n}\n\n",
			name, firstOf(w.data[e], "any"), w.quoted(e.Name))
	}
}

// codes are the errors that are the service's own.
func (w *goWriter) codes() {
	var list []string
	seen := map[string]bool{}
	for _, mt := range w.methods {
		for _, e := range mt.Errors {
			if own, ok := strings.CutPrefix(e.Code, "APP_"); ok && !seen[e.Code] {
				seen[e.Code] = true
				name := unique("Code"+goName(strings.ToLower(own)), w.taken)
				list = append(list, "\t"+name+" ipc.Code = "+w.quoted(e.Code)+"\n")
			}
		}
	}
	if list != nil {
		w.printf("// The codes of the service's own errors, for ipc.CodeOf and ipc.Errorf.\nconst (\n%s)\n\n", strings.Join(list, ""))
	}
}

func (w *goWriter) skeleton() {
	name := w.manifest.Service.Name
	goSay(w, "", "Service is "+name+": what its manifest promises, it does.", notes{})
	w.printf("type Service struct {\n\tipc *ipc.Service\n}\n\nvar _ Handler = (*Service)(nil)\n\n")
	w.printf("// Serve answers calls until ctx ends. m is the manifest, as ipc.LoadManifest\n// reads it; a nil *ipc.ServiceOptions means the defaults.\n")
	w.printf("func Serve(ctx context.Context, m *ipc.Manifest, opts *ipc.ServiceOptions) error {\n\tservice := &Service{ipc.NewService(m, opts)}\n\tRegister(service.ipc, service)\n\treturn service.ipc.Serve(ctx)\n}\n\n")
	for _, mt := range w.methods {
		c := w.spelled[mt]
		goSay(w, "", c.name+" answers "+mt.Name+".", notes{description: mt.Description})
		failure := "ipc.Errorf(ipc.CodeUnimplemented, " + w.quoted(mt.Name+" is not written yet") + ")"
		w.printf("func (s *Service) %s%s {\n", c.name, w.answers(mt, c))
		switch {
		case mt.Stream == manifest.StreamBoth || c.silent:
			w.printf("\treturn %s\n", failure)
		case mt.reads() || !mt.streams():
			w.printf("\treturn result, %s\n", failure)
		default:
			item := c.sent(c.result)
			w.printf("\treturn func(yield func(%s, error) bool) {\n\t\tvar item %s\n\t\tyield(item, %s)\n\t}\n", item, item, failure)
		}
		w.printf("}\n\n")
	}
}
