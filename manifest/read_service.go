package manifest

import (
	"regexp"
	"time"
)

var (
	serviceFields    = []string{"name", "version", "description", "tags", "transport", "instances", "weight", "activation"}
	activationFields = []string{"command", "args", "env", "cwd", "idleTimeoutMs"}
)

// The greatest values that a manifest may ask for.
const (
	maxTimeout     = 10 * time.Minute
	maxIdle        = 7 * 24 * time.Hour
	maxWeight      = 1000
	maxConnections = 1 << 20
	maxCount       = maxSafe
)

// semver is a version as most tools understand it, parts left out at the end
// included.
var semver = regexp.MustCompile(`^v?\d+(\.\d+){0,2}([-+][0-9A-Za-z.+-]+)?$`)

func (r *reader) service(n *node) {
	o := r.object(n, `"service"`, serviceFields)
	if o == nil {
		return
	}
	s := &r.m.Service
	s.Name = r.serviceName(o)
	s.Description = o.text("description")
	s.Tags = o.texts("tags")
	if s.Version = o.text("version"); s.Version != "" && !semver.MatchString(s.Version) {
		r.warnf(o.get("version"), "version", "%s is no version like 1.2.3", quote(s.Version))
	}
	s.Transport = Transport{Type: TransportAuto}
	if t := o.get("transport"); t != nil {
		s.Transport = r.transport(t, nil)
	}
	s.Weight = max(1, int(o.whole("weight", 1, maxWeight)))
	s.Instances = r.instances(o, &s.Transport)
	if a := o.get("activation"); a != nil {
		s.Activation = r.activation(a)
	}
}

func (r *reader) serviceName(o *object) string {
	n := o.need("name")
	if n == nil || !r.expect(n, '"', `"name"`) {
		return ""
	}
	if p := nameProblem(n.text); p != "" {
		r.errorf(n, "name", "the service name %s %s", quote(n.text), p)
		return ""
	}
	if !r.unreserved(n.start, n.pointer(), "service", n.text) {
		return ""
	}
	return n.text
}

func (r *reader) instances(o *object, main *Transport) []Instance {
	list := o.kind("instances", '[')
	if list == nil {
		return nil
	}
	var out []Instance
	for _, e := range list.elems {
		if e.kind == '"' {
			t := Transport{Type: main.Type, Address: e.text, Port: main.Port, TLS: main.TLS}
			if e.text == "" {
				r.errorf(e, "address", "the address is empty")
			}
			r.address(e, &t)
			out = append(out, Instance{t, 1})
			continue
		}
		in := r.object(e, "an instance", append([]string{"weight"}, transportFields...))
		if in == nil {
			continue
		}
		t := r.transportFields(in, main)
		out = append(out, Instance{t, max(1, int(in.whole("weight", 1, maxWeight)))})
	}
	return out
}

func (r *reader) activation(n *node) *Activation {
	o := r.object(n, `"activation"`, activationFields)
	if o == nil {
		return nil
	}
	a := &Activation{
		Args:        o.strings("args", 0),
		Cwd:         o.text("cwd"),
		IdleTimeout: o.millis("idleTimeoutMs", 0, maxIdle),
	}
	if c := o.need("command"); c != nil && r.expect(c, '"', `"command"`) {
		if a.Command = c.text; a.Command == "" {
			r.errorf(c, "empty", `"command" must name a program`)
		}
	}
	if env := o.kind("env", '{'); env != nil {
		a.Env = map[string]string{}
		for _, m := range env.members {
			if r.expect(m.value, '"', "each of \"env\"") {
				a.Env[m.name] = m.value.text
			}
		}
	}
	return a
}
