package wire_test

import (
	"errors"
	"fmt"

	"github.com/ekkojs/ipc/wire"
)

func ExampleLimits_Decode() {
	frame := []byte(`{"type":"request","messageId":"3f0e9f5c-0001","channel":"database-service.getUserById","data":[123]}`)
	var m wire.Message
	if err := wire.DefaultLimits.Decode(frame, &m); err != nil {
		fmt.Println(err)
		return
	}
	service, method := wire.SplitChannel(m.Channel)
	fmt.Printf("%s %s %s %s\n", m.Type, service, method, m.Data)
	// Output: request database-service getUserById [123]
}

func ExampleLimits_Decode_refused() {
	frame := []byte(`{"type":"request","channel":"a.b","ch\u0061nnel":"c.d"}`)
	err := wire.DefaultLimits.Decode(frame, new(wire.Message))
	fmt.Println(err)
	// Output: MALFORMED_MESSAGE: duplicate member name at offset 35
}

func ExampleMessage_Append() {
	m := wire.Message{Type: wire.TypeEvent, Channel: []byte("events.user.created"), Data: []byte(`{"id":123}`)}
	fmt.Printf("%s\n", m.Append(nil))
	// Output: {"type":"event","channel":"events.user.created","data":{"id":123}}
}

func ExampleErrorf() {
	err := fmt.Errorf("loading the profile: %w", wire.Errorf(wire.CodeNotFound, "no user %d", 7))
	fmt.Println(errors.Is(err, wire.CodeNotFound), wire.CodeOf(err))
	// Output: true NOT_FOUND
}

func ExamplePattern_Match() {
	p, err := wire.ParsePattern("user.*")
	fmt.Println(p.Match("user.created"), p.Match("user.profile.updated"), err)
	// Output: true false <nil>
}
