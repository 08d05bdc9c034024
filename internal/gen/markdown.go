package gen

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/ekkojs/ipc/manifest"
)

// Markdown writes pages to read: what the service promises, in full.
func Markdown(m *manifest.Manifest) []byte {
	w := &mdWriter{model: newModel(m)}
	w.head()
	w.part("Methods", len(w.methods))
	for _, mt := range w.methods {
		w.method(mt)
	}
	w.part("Events", len(w.events))
	for _, e := range w.events {
		w.event(e)
	}
	w.part("Channels", len(m.Channels))
	for _, name := range m.ChannelNames() {
		w.channel(m.Channels[name])
	}
	w.part("Types", len(w.types))
	for _, n := range w.types {
		w.named(n)
	}
	return []byte(strings.TrimRight(w.String(), "\n") + "\n")
}

// mdWriter writes one page.
type mdWriter struct {
	*model
	strings.Builder
}

func (w *mdWriter) printf(format string, args ...any) { fmt.Fprintf(w, format, args...) }

func (w *mdWriter) head() {
	s := w.manifest.Service
	w.printf("# %s\n\n", s.Name)
	if s.Version != "" {
		w.printf("Version %s.\n\n", mdLine(s.Version))
	}
	w.WriteString("<!-- Written by \"ekko-ipc gen md\" from the manifest. -->\n\n")
	w.text(s.Description)
}

func (w *mdWriter) part(title string, n int) {
	if n > 0 {
		w.printf("## %s\n\n", title)
	}
}

// text writes what people wrote as a paragraph of its own.
func (w *mdWriter) text(text string) {
	if list := lines(text); len(list) > 0 {
		for _, l := range list {
			w.WriteString(mdStart(mdEscape(strings.TrimSpace(l))) + "\n")
		}
		w.WriteString("\n")
	}
}

func (w *mdWriter) list(items []string) {
	for _, item := range items {
		w.printf("- %s\n", item)
	}
	if items != nil {
		w.WriteString("\n")
	}
}

func (w *mdWriter) deprecated(reason string) {
	switch {
	case reason == "":
	case because(reason) == "":
		w.WriteString("**Deprecated.**\n\n")
	default:
		w.printf("**Deprecated:** %s\n\n", mdLine(reason))
	}
}

func (w *mdWriter) method(mt *method) {
	w.printf("### %s\n\n```\n%s\n```\n\n", mdCode(mt.Name), inFence(mt.Signature()))
	w.deprecated(mt.Deprecated)
	w.text(mt.Description)
	w.parameters(mt)
	if mt.Returns != nil || mt.streams() {
		w.returns(mt)
	}
	if len(mt.Errors) > 0 {
		w.WriteString("| error | |\n|---|---|\n")
		for _, e := range mt.Errors {
			w.printf("| %s | %s |\n", mdCell(mdCode(e.Code)), mdLine(e.Description))
		}
		w.WriteString("\n")
	}
	w.list(w.terms(mt))
}

func (w *mdWriter) parameters(mt *method) {
	if mt.Parameters == nil {
		w.WriteString("Takes any arguments.\n\n")
	}
	if len(mt.parameters) == 0 {
		return
	}
	w.WriteString("| parameter | type | |\n|---|---|---|\n")
	for _, p := range mt.parameters {
		about := mdLine(firstOf(p.Description, p.shape.description))
		if bare, _ := p.shape.withoutNull(); bare.kind == integerKind {
			about += "; a whole number"
		}
		for _, a := range p.shape.asks {
			about += "; " + mdLine(a)
		}
		switch {
		case p.Default != nil:
			about += "; default " + mdCell(mdCode(parse(p.Default).brief()))
		case !p.Required:
			about += "; may be left out"
		}
		w.printf("| %s | %s | %s |\n", mdCell(mdCode(p.Name)), mdCell(mdCode(brief(p.shape))), strings.TrimPrefix(about, "; "))
	}
	w.WriteString("\n")
}

func (w *mdWriter) returns(mt *method) {
	word := "Returns"
	if mt.streams() {
		word = "Returns, one by one,"
	}
	about := ""
	if mt.Returns != nil && mt.Returns.Description != "" {
		about = ": " + mdLine(mt.Returns.Description)
	}
	w.printf("%s %s%s\n\n", word, mdCode(brief(mt.result)), about)
}

// terms are what holds for each call of a method.
func (w *mdWriter) terms(mt *method) (list []string) {
	if mt.reads() {
		list = append(list, "reads a stream of "+mdCode(brief(mt.items))+" from its caller")
	}
	if mt.Idempotent {
		list = append(list, "may be sent again after a failure: it is carried out once")
	}
	if mt.Timeout > 0 {
		list = append(list, "takes "+mt.Timeout.String()+" at most")
	}
	if mt.Concurrency > 0 {
		list = append(list, count(mt.Concurrency, "call")+" at once; others wait in order")
	}
	return append(list, roles("is for", mt.Permissions)...)
}

func (w *mdWriter) event(e *event) {
	w.printf("### %s\n\n", mdCode(e.Name))
	w.deprecated(e.Deprecated)
	w.text(e.Description)
	if e.data.kind != anyKind {
		w.printf("Data: %s\n\n", mdCode(brief(e.data)))
	}
	var list []string
	if c := w.manifest.ChannelOf(e.Name); c != nil {
		list = append(list, "travels on the channel "+mdCode(c.Name))
	}
	if !e.open {
		list = append(list, "is published by the service alone")
	}
	w.list(append(list, roles("is for", e.Permissions)...))
}

func (w *mdWriter) channel(c *manifest.Channel) {
	w.printf("### %s\n\n", mdCode(c.Name))
	w.text(c.Description)
	list := []string{channelKind(c)}
	if names := w.carried(c); names != nil {
		for i, name := range names {
			names[i] = mdCode(name)
		}
		list = append(list, "carries "+strings.Join(names, ", "))
	}
	list = append(list, kept(c)...)
	if c.OnSlow != "" {
		list = append(list, slow(c))
	}
	if c.MaxSubscribers > 0 {
		list = append(list, "has "+count(c.MaxSubscribers, "subscriber")+" at most")
	}
	if c.Publish == manifest.PublishService {
		list = append(list, "is published on by the service alone")
	}
	w.list(append(list, roles("is for", c.Permissions)...))
}

func channelKind(c *manifest.Channel) string {
	switch c.Type {
	case manifest.ChannelQueue:
		return "queue: each message goes to one member of a group, until it is acknowledged"
	case manifest.ChannelBroadcast:
		return "broadcast: everybody gets all of it"
	}
	return "topic: every subscriber gets each event"
}

// kept says what a channel keeps, and how much.
func kept(c *manifest.Channel) (list []string) {
	switch {
	case c.Persistent:
		list = append(list, "keeps what was published on disk, over a restart")
	case keeps(c):
		list = append(list, "keeps what was published in memory, as long as the service runs")
	default:
		list = append(list, "keeps nothing")
	}
	if r := c.Retention; r != nil {
		var bounds []string
		if r.MaxMessages > 0 {
			bounds = append(bounds, strconv.FormatInt(r.MaxMessages, 10)+" messages")
		}
		if r.MaxAge > 0 {
			bounds = append(bounds, r.MaxAge.String())
		}
		if r.MaxSize > 0 {
			bounds = append(bounds, strconv.FormatInt(r.MaxSize, 10)+" bytes")
		}
		if bounds != nil {
			list = append(list, "keeps at most "+strings.Join(bounds, ", "))
		}
	}
	if c.Last {
		list = append(list, "later subscribers can begin with its newest value")
	}
	return list
}

// slow says who gives way on a channel when somebody does not keep up.
func slow(c *manifest.Channel) string {
	switch c.OnSlow {
	case manifest.OnSlowDisconnect:
		return "cuts off who does not keep up"
	case manifest.OnSlowReject:
		return "refuses publishers when it is full"
	case manifest.OnSlowBlock:
		return "has publishers wait when it is full"
	}
	if c.IsQueue() {
		return "loses its oldest messages when it is full"
	}
	return "a subscriber that does not keep up loses its oldest events, and is told which"
}

func (w *mdWriter) named(n *named) {
	w.printf("### %s\n\n", mdCode(n.name))
	w.text(n.description)
	text := tsType(&n.shape, "")
	if n.kind == objectKind && !n.isFreeObject() {
		text = tsMembers(&n.shape, "")
	}
	w.printf("```ts\n%s\n```\n\n", inFence(text))
	var list []string
	for _, a := range n.asks {
		list = append(list, mdLine(a))
	}
	w.list(list)
}

func roles(what string, names []string) []string {
	if len(names) == 0 {
		return nil
	}
	var list []string
	for _, name := range names {
		list = append(list, mdCode(name))
	}
	return []string{what + " " + strings.Join(list, " or ")}
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return strconv.Itoa(n) + " " + what + "s"
}
