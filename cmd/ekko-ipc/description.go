package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/ekkojs/ipc/manifest"
)

// page is a text for people, written part by part.
type page struct {
	strings.Builder
	paint palette
}

func (p *page) line(indent int, text string) {
	p.WriteString(strings.Repeat(" ", indent))
	p.WriteString(text)
	p.WriteByte('\n')
}

// prose writes a text of perhaps several lines, and nothing for none.
func (p *page) prose(indent int, text string) {
	for line := range strings.Lines(text) {
		p.line(indent, strings.TrimSpace(line))
	}
}

func (p *page) title(text string) { p.line(0, "\n"+p.paint.bold(text)) }

// facts writes names and values in two columns, without those that have no
// value.
func (p *page) facts(pairs ...[2]string) {
	width := 0
	for _, pair := range pairs {
		if pair[1] != "" {
			width = max(width, len(pair[0]))
		}
	}
	for _, pair := range pairs {
		if pair[1] != "" {
			p.line(2, p.paint.dim(pad(pair[0], width))+"  "+pair[1])
		}
	}
}

// text is the whole manifest.
func (d description) text(paint palette) string {
	p := &page{paint: paint}
	m := d.manifest
	p.line(0, strings.TrimSpace(paint.bold(m.Service.Name)+" "+m.Service.Version))
	p.prose(0, m.Service.Description)
	p.facts(
		[2]string{"at", d.address},
		[2]string{"manifest", m.Path},
		[2]string{"tags", strings.Join(m.Service.Tags, ", ")},
	)
	if names := m.MethodNames(); len(names) > 0 {
		p.title("Methods")
		for _, name := range names {
			method := m.Methods[name]
			p.line(2, paintSignature(method, paint))
			p.prose(6, method.Description)
			p.prose(6, paint.dim(strings.Join(remarks(method), "; ")))
		}
	}
	if names := m.EventNames(); len(names) > 0 {
		p.title("Events")
		for _, name := range names {
			p.line(2, paintEvent(m.Events[name], paint))
			p.prose(6, m.Events[name].Description)
		}
	}
	if names := m.ChannelNames(); len(names) > 0 {
		p.title("Channels")
		for _, name := range names {
			p.line(2, paint.cyan(name)+"  "+channelLine(m.Channels[name]))
			p.prose(6, m.Channels[name].Description)
		}
	}
	d.typesText(p)
	return p.String()
}

func (d description) typesText(p *page) {
	var names []string
	for name := range d.manifest.Types {
		names = append(names, name)
	}
	if len(names) == 0 {
		return
	}
	slices.Sort(names)
	p.title("Types")
	for _, name := range names {
		p.line(2, p.paint.cyan(name)+"  "+d.manifest.Types[name].String())
	}
}

// methodText is the page of one method, with a call to copy.
func (d description) methodText(m *manifest.Method, paint palette) string {
	p := &page{paint: paint}
	p.line(0, paintSignature(m, paint))
	p.prose(0, m.Description)
	if len(m.Parameters) > 0 {
		p.title("Parameters")
		for _, parameter := range m.Parameters {
			p.line(2, paint.cyan(parameter.Name)+"  "+parameterLine(parameter))
			p.prose(6, parameter.Description)
		}
	}
	if m.Returns != nil {
		p.title("Returns")
		p.line(2, result(m))
		p.prose(6, m.Returns.Description)
	}
	if said := remarks(m); len(said) > 0 {
		p.title("Remarks")
		for _, remark := range said {
			p.line(2, remark)
		}
	}
	p.title("Example")
	p.line(2, exampleCall(d.service, m))
	return p.String()
}

// eventText is the page of one event, with a subscription to copy.
func (d description) eventText(e *manifest.Event, paint palette) string {
	p := &page{paint: paint}
	p.line(0, paintEvent(e, paint))
	p.prose(0, e.Description)
	p.facts(
		[2]string{"category", e.Category},
		[2]string{"priority", strings.TrimPrefix(string(e.Priority), string(manifest.PriorityNormal))},
		[2]string{"deprecated", e.Deprecated},
		[2]string{"for role", strings.Join(e.Permissions, " or ")},
		[2]string{"published by", publisherOf(e)},
	)
	if channel := d.manifest.ChannelOf(e.Name); channel != nil {
		p.facts([2]string{"channel", channel.Name + "  " + channelLine(channel)})
	}
	p.title("Example")
	p.line(2, "ekko-ipc sub "+d.service+" "+e.Name)
	return p.String()
}

// publisherOf says who may publish an event, and nothing where anybody may.
func publisherOf(e *manifest.Event) string {
	if e.Publish == manifest.PublishService {
		return "the service alone"
	}
	return ""
}

func parameterLine(p *manifest.Parameter) string {
	switch {
	case p.Default != nil:
		return p.Type.String() + ", " + string(p.Default) + " if left out"
	case !p.Required:
		return p.Type.String() + ", may be left out"
	}
	return p.Type.String()
}

// channelLine is what a publisher and a subscriber should know of a channel.
func channelLine(channel *manifest.Channel) string {
	said := []string{string(channel.Type)}
	if len(channel.Events) > 0 {
		said = append(said, "carries "+strings.Join(channel.Events, ", "))
	}
	if channel.Persistent {
		said = append(said, "kept on disk, over a restart")
	}
	said = append(said, retentionWords(channel)...)
	if channel.Last {
		said = append(said, "keeps its last value")
	}
	switch {
	case channel.IsQueue() && channel.OnSlow == manifest.OnSlowDropOldest:
		said = append(said, "drops the oldest when it is full")
	case onSlowWords[channel.OnSlow] != "":
		said = append(said, onSlowWords[channel.OnSlow])
	}
	if channel.Publish == manifest.PublishService {
		said = append(said, "published by the service alone")
	}
	if channel.MaxSubscribers > 0 {
		said = append(said, fmt.Sprintf("up to %d subscribers", channel.MaxSubscribers))
	}
	if len(channel.Permissions) > 0 {
		said = append(said, "for the role "+strings.Join(channel.Permissions, " or "))
	}
	return strings.Join(said, "; ")
}

// onSlowWords say who gives way when somebody is too slow. That a subscriber
// loses the oldest is the rule, and not said.
var onSlowWords = map[manifest.OnSlow]string{
	manifest.OnSlowDisconnect: "cuts slow subscribers off",
	manifest.OnSlowReject:     "refuses publishers when it is full",
	manifest.OnSlowBlock:      "has publishers wait when it is full",
}

func retentionWords(channel *manifest.Channel) (said []string) {
	r := channel.Retention
	if r == nil {
		return nil
	}
	if r.MaxMessages > 0 {
		said = append(said, fmt.Sprintf("up to %d messages", r.MaxMessages))
	}
	if r.MaxSize > 0 {
		said = append(said, "up to "+size(r.MaxSize))
	}
	if r.MaxAge > 0 {
		said = append(said, "for "+r.MaxAge.String())
	}
	if len(said) == 0 {
		return nil
	}
	said[0] = "keeps " + said[0]
	return []string{strings.Join(said, ", ")}
}

func paintSignature(m *manifest.Method, paint palette) string {
	return paint.cyan(m.Name) + strings.TrimPrefix(m.Signature(), m.Name)
}

func paintEvent(e *manifest.Event, paint palette) string {
	if e.Type == nil {
		return paint.cyan(e.Name)
	}
	return paint.cyan(e.Name) + "  " + e.Type.String()
}
