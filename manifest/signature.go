package manifest

import "strings"

// Signature is the method on one line:
//
//	getUserById(id: number): {id: number, name: string, email: string}
//
// Optional parameters have a "?" after their name or show their default,
// undeclared ones are "...", and what comes in many parts is marked "stream",
// be it the result or, after the parameters, what the caller sends.
func (mt *Method) Signature() string {
	var b strings.Builder
	b.WriteString(mt.Name)
	b.WriteByte('(')
	if mt.Parameters == nil {
		b.WriteString("...")
	}
	for i, p := range mt.Parameters {
		if i > 0 {
			b.WriteString(", ")
		}
		p.write(&b)
	}
	if mt.Stream == StreamClient || mt.Stream == StreamBoth {
		if mt.Parameters == nil || len(mt.Parameters) > 0 {
			b.WriteString(", ")
		}
		b.WriteString("stream ")
		if mt.Items == nil {
			b.WriteString("any")
		} else {
			mt.Items.write(&b)
		}
	}
	b.WriteByte(')')
	many := mt.Stream == StreamServer || mt.Stream == StreamBoth
	if mt.Returns == nil && !many {
		return b.String()
	}
	b.WriteString(": ")
	if many {
		b.WriteString("stream ")
	}
	if mt.Returns == nil {
		b.WriteString("any")
	} else {
		mt.Returns.Type.write(&b)
	}
	return b.String()
}

func (p *Parameter) write(b *strings.Builder) {
	b.WriteString(p.Name)
	if !p.Required && p.Default == nil {
		b.WriteByte('?')
	}
	b.WriteString(": ")
	p.Type.write(b)
	const longest = 40
	switch {
	case p.Default == nil:
	case len(p.Default) > longest:
		b.WriteString(" = …")
	default:
		b.WriteString(" = ")
		b.Write(p.Default)
	}
}
