package wire

import (
	"bytes"
	"testing"
)

type messageVector struct {
	Name string `json:"name"`
	vectorInput
	Code    Code           `json:"code,omitempty"`
	Message *messageFields `json:"message,omitempty"`
	Partial bool           `json:"partial,omitempty"` // only the fields given are compared
	Encoded string         `json:"encoded,omitempty"`
}

// messageFields is a message with its raw fields as text.
type messageFields struct {
	Type          string  `json:"type"`
	TypeName      *string `json:"typeName,omitempty"`
	MessageID     *string `json:"messageId,omitempty"`
	Channel       *string `json:"channel,omitempty"`
	Action        *string `json:"action,omitempty"`
	Data          *string `json:"data,omitempty"`
	Timestamp     *string `json:"timestamp,omitempty"`
	CorrelationID *string `json:"correlationId,omitempty"`
	Error         *string `json:"error,omitempty"`
	Metadata      *string `json:"metadata,omitempty"`
}

func (f *messageFields) check(t *testing.T, m *Message) {
	t.Helper()
	if m.Type.String() != f.Type {
		t.Errorf("type is %v, want %s", m.Type, f.Type)
	}
	checkText(t, "typeName", m.TypeName, f.TypeName)
	checkText(t, "messageId", m.MessageID, f.MessageID)
	checkText(t, "channel", m.Channel, f.Channel)
	checkText(t, "action", m.Action, f.Action)
	checkText(t, "data", m.Data, f.Data)
	checkText(t, "timestamp", m.Timestamp, f.Timestamp)
	checkText(t, "correlationId", m.CorrelationID, f.CorrelationID)
	checkText(t, "error", m.Error, f.Error)
	checkText(t, "metadata", m.Metadata, f.Metadata)
}

func TestVectorsMessage(t *testing.T) {
	file := readVectors[messageVector](t, "message")
	for k := range file.Cases {
		c := &file.Cases[k]
		t.Run(c.Name, func(t *testing.T) {
			frame := c.bytes(t)
			var m Message
			err := DefaultLimits.Decode(frame, &m)
			if checkCode(t, err, c.Code); err != nil {
				return
			}
			if c.Partial {
				if m.Type.String() != c.Message.Type {
					t.Errorf("type is %v, want %s", m.Type, c.Message.Type)
				}
				return
			}
			c.Message.check(t, &m)
			encoded := m.Append(nil)
			checkEncoded(t, &c.Encoded, encoded)

			// The encoded form means the same.
			var again Message
			checkCode(t, DefaultLimits.Decode(encoded, &again), "")
			c.Message.check(t, &again)
		})
	}
	writeVectors(t, "message", file)
}

type batchVector struct {
	Name string `json:"name"`
	vectorInput
	Code     Code     `json:"code,omitempty"`
	Elements []string `json:"elements,omitempty"`
	Partial  bool     `json:"partial,omitempty"` // only the number of elements is compared
	Count    int      `json:"count,omitempty"`
}

func TestVectorsBatch(t *testing.T) {
	for _, c := range readVectors[batchVector](t, "batch").Cases {
		t.Run(c.Name, func(t *testing.T) {
			frame := c.bytes(t)
			var elements []string
			for element, err := range DefaultLimits.Batch(frame) {
				if err != nil {
					if len(elements) > 0 || element != nil {
						t.Errorf("%d elements came before the failure", len(elements))
					}
					checkCode(t, err, c.Code)
					return
				}
				elements = append(elements, string(element))
			}
			checkCode(t, nil, c.Code)
			if !IsBatch(frame) {
				t.Error("not taken for a batch")
			}
			if c.Partial {
				if len(elements) != c.Count {
					t.Errorf("%d elements, want %d", len(elements), c.Count)
				}
				return
			}
			if len(elements) != len(c.Elements) {
				t.Fatalf("elements %q, want %q", elements, c.Elements)
			}
			for k, want := range c.Elements {
				if elements[k] != want {
					t.Errorf("element %d is %s, want %s", k, elements[k], want)
				}
			}
		})
	}
}

type valueVector struct {
	Name string `json:"name"`
	vectorInput
	Code Code `json:"code,omitempty"`
}

// A bare value is checked alone and as the data of a message: the rules are
// the same.
func TestVectorsValue(t *testing.T) {
	for _, c := range readVectors[valueVector](t, "value").Cases {
		t.Run(c.Name, func(t *testing.T) {
			raw := c.bytes(t)
			checkCode(t, DefaultLimits.Valid(raw), c.Code)
			var m Message
			frame := append(append([]byte(`{"type":"event","data":`), raw...), '}')
			err := DefaultLimits.Decode(frame, &m)
			if checkCode(t, err, c.Code); err == nil && !bytes.Equal(m.Data, bytes.TrimSpace(raw)) {
				t.Errorf("data is %s, want %s", m.Data, raw)
			}
		})
	}
}
