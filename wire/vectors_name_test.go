package wire

import "testing"

type nameVector struct {
	Name    string   `json:"name"`
	Code    Code     `json:"code,omitempty"`
	Service string   `json:"service,omitempty"`
	Method  string   `json:"method,omitempty"`
	Event   string   `json:"event,omitempty"`
	Match   []string `json:"match,omitempty"`
	Miss    []string `json:"miss,omitempty"`
}

func TestVectorsName(t *testing.T) {
	for _, c := range readVectors[nameVector](t, "name").Cases {
		t.Run(c.Name, func(t *testing.T) {
			checkCode(t, CheckName(c.Name), c.Code)
		})
	}
}

func TestVectorsChannel(t *testing.T) {
	for _, c := range readVectors[nameVector](t, "channel").Cases {
		t.Run(c.Name, func(t *testing.T) {
			err := CheckChannel(c.Name)
			if checkCode(t, err, c.Code); err != nil {
				return
			}
			service, method := SplitChannel([]byte(c.Name))
			if string(service) != c.Service || string(method) != c.Method {
				t.Errorf("split into %q and %q", service, method)
			}
			event := string(EventName([]byte(c.Name)))
			if event != c.Event {
				t.Errorf("event %q, want %q", event, c.Event)
			}
		})
	}
}

func TestVectorsPattern(t *testing.T) {
	for _, c := range readVectors[nameVector](t, "pattern").Cases {
		t.Run(c.Name, func(t *testing.T) {
			p, err := ParsePattern(c.Name)
			if checkCode(t, err, c.Code); err != nil {
				return
			}
			if p.String() != c.Name {
				t.Errorf("written as %q", p)
			}
			for _, name := range c.Match {
				if !p.Match(name) {
					t.Errorf("does not match %q", name)
				}
			}
			for _, name := range c.Miss {
				if p.Match(name) {
					t.Errorf("matches %q", name)
				}
			}
		})
	}
}
