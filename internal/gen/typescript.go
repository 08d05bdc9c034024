package gen

import (
	_ "embed"
	"fmt"
	"slices"
	"strings"

	"github.com/ekkojs/ipc/manifest"
)

// Service is a service by the name under which programs import it.
type Service struct {
	Name     string
	Manifest *manifest.Manifest
}

//go:embed prelude.d.ts
var tsPrelude string

const tsHead = `// Written by "ekko-ipc gen ts" from the manifests of the services, and written
// anew by it: what is changed here is lost.

`

// TypeScript declares the modules ipc:NAME of the services, and registers them
// in the global interfaces EkkoIpcServices, for those who call them, and
// EkkoIpcContracts, for those who serve them. The services may come in any order;
// of two with one name the first counts.
func TypeScript(services []Service) []byte {
	services = slices.Clone(services)
	slices.SortStableFunc(services, func(a, b Service) int { return strings.Compare(a.Name, b.Name) })
	services = slices.CompactFunc(services, func(a, b Service) bool { return a.Name == b.Name })
	var b strings.Builder
	b.WriteString(tsHead)
	for _, s := range services {
		w := &tsWriter{model: newModel(s.Manifest), specifier: tsQuote("ipc:" + s.Name)}
		w.module()
		b.WriteString(w.String() + "\n")
	}
	b.WriteString("/** The services that can be imported, by name. */\ninterface EkkoIpcServices {\n")
	for _, s := range services {
		fmt.Fprintf(&b, "  %s: import(%s).$Service;\n", tsMember(s.Name), tsQuote("ipc:"+s.Name))
	}
	b.WriteString("}\n\n/** What the services promise, by name: the handlers of serve are typed by it. */\ninterface EkkoIpcContracts {\n")
	for _, s := range services {
		module := "import(" + tsQuote("ipc:"+s.Name) + ")"
		fmt.Fprintf(&b, "  %s: { methods: %s.$Methods; events: %s.$Events; channels: %s.$Channels };\n", tsMember(s.Name), module, module, module)
	}
	b.WriteString("}\n\n" + tsPrelude)
	return []byte(b.String())
}

// tsWriter writes one module.
type tsWriter struct {
	*model
	strings.Builder
	specifier string
}

func (w *tsWriter) printf(format string, args ...any) { fmt.Fprintf(w, format, args...) }

func (w *tsWriter) module() {
	w.printf("declare module %s {\n", w.specifier)
	for _, n := range w.types {
		w.named(n)
	}
	w.methodTable()
	w.eventTables()
	w.service()
	w.exports()
	w.WriteString("}\n")
}

func (w *tsWriter) named(n *named) {
	var d jsdoc
	d.notes(n.notes)
	w.WriteString(d.text("  "))
	name := tsTypeName(n.name)
	if n.kind == objectKind && !n.isFreeObject() && n.remark == "" {
		w.printf("  export interface %s %s\n\n", name, tsMembers(&n.shape, "  "))
		return
	}
	w.printf("  export type %s = %s;\n\n", name, tsType(&n.shape, "  "))
}

// methodTable declares all methods, whatever they are called.
func (w *tsWriter) methodTable() {
	w.WriteString("  /** The methods of the service. */\n  export interface $Methods {\n")
	for _, mt := range w.methods {
		w.WriteString(w.comment(mt, "    "))
		w.printf("    %s%s;\n", tsMember(mt.Name), w.signature(mt, "    "))
	}
	w.WriteString("  }\n\n")
}

func (w *tsWriter) signature(mt *method, indent string) string {
	var list []string
	if mt.Parameters == nil {
		if mt.reads() {
			list = append(list, "...args: [...args: unknown[], items: "+w.items(mt, indent)+"]")
		} else {
			list = append(list, "...args: unknown[]")
		}
	}
	for i, name := range tsParameterNames(mt.parameters) {
		p := mt.parameters[i]
		text := tsType(p.shape, indent)
		switch {
		case p.Required:
			text = name + ": " + text
		case mt.reads(): // the items come last, and there must be some
			text = name + ": " + tsWithin(p.shape, indent) + " | undefined"
		default:
			text = name + "?: " + text
		}
		list = append(list, text)
	}
	if mt.reads() && mt.Parameters != nil {
		list = append(list, unique("items", namesOf(mt))+": "+w.items(mt, indent))
	}
	answer := "Promise<"
	if mt.streams() {
		answer = "EkkoIpc.ItemStream<"
	}
	return "(" + strings.Join(list, ", ") + "): " + answer + tsType(mt.result, indent) + ">"
}

func namesOf(mt *method) map[string]bool {
	taken := map[string]bool{}
	for _, name := range tsParameterNames(mt.parameters) {
		taken[name] = true
	}
	return taken
}

func (w *tsWriter) items(mt *method, indent string) string {
	text := tsType(mt.items, indent)
	return "AsyncIterable<" + text + "> | Iterable<" + text + ">"
}

func (w *tsWriter) comment(mt *method, indent string) string {
	var d jsdoc
	d.say(mt.Description)
	for i, name := range tsParameterNames(mt.parameters) {
		if text := parameterText(mt.parameters[i]); text != "" {
			d.tag("@param "+name, text)
		}
	}
	if mt.Returns != nil && mt.Returns.Description != "" {
		d.tag("@returns", mt.Returns.Description)
	}
	for _, e := range mt.Errors {
		d.tag("@throws {IpcError}", strings.TrimSuffix(e.Code+": "+line(e.Description), ": "))
	}
	if mt.Deprecated != "" {
		d.tag("@deprecated", because(mt.Deprecated))
	}
	return d.text(indent)
}

// because is why something is deprecated, if more is said than that it is.
func because(reason string) string {
	if reason == "deprecated" {
		return ""
	}
	return reason
}

// parameterText is what is known of a parameter besides its type.
func parameterText(p parameter) string {
	parts := []string{firstOf(p.Description, p.shape.description)}
	if len(p.shape.asks) > 0 {
		parts = append(parts, "("+strings.Join(p.shape.asks, ", ")+")")
	}
	if p.Default != nil {
		parts = append(parts, "Default "+parse(p.Default).brief()+".")
	}
	return strings.TrimSpace(strings.Join(parts, " "))
}

func (w *tsWriter) eventTables() {
	w.WriteString("  /** The data of the events. */\n  export interface $Events {\n")
	for _, e := range w.events {
		w.event(e, "    ")
	}
	w.WriteString("  }\n\n  /** The events that travel on each channel. */\n  export interface $Channels {\n")
	for _, name := range w.manifest.ChannelNames() {
		w.channel(w.manifest.Channels[name])
	}
	w.WriteString("  }\n\n  /** What may be published, and the data of it. */\n  export interface $Publishable {\n")
	var kept []string
	for _, name := range w.publishable() {
		if e := w.manifest.Events[name]; e != nil {
			w.printf("    %s: $Events[%s];\n", tsMember(name), tsQuote(name))
		} else {
			w.printf("    %s: unknown;\n", tsMember(name))
		}
		if keeps(w.manifest.ChannelOf(name)) {
			kept = append(kept, tsQuote(name))
		}
	}
	if kept == nil {
		kept = []string{"never"}
	}
	w.printf("  }\n\n  /** What is kept, so that who publishes it gets a receipt. */\n  export type $Kept = %s;\n\n", strings.Join(kept, " | "))
}

func (w *tsWriter) event(e *event, indent string) {
	var d jsdoc
	d.say(e.Description)
	d.notes(notes{asks: e.data.asks})
	if e.Deprecated != "" {
		d.tag("@deprecated", because(e.Deprecated))
	}
	w.printf("%s%s%s: %s;\n", d.text(indent), indent, tsMember(e.Name), tsType(e.data, indent))
}

func (w *tsWriter) channel(c *manifest.Channel) {
	var d jsdoc
	d.say(c.Description)
	var names []string
	for _, name := range w.carried(c) {
		names = append(names, tsQuote(name))
	}
	if names == nil {
		names = []string{tsQuote(c.Name)}
	}
	w.printf("%s    %s: %s;\n", d.text("    "), tsMember(c.Name), strings.Join(names, " | "))
}

// publishable are the names under which a client may publish.
func (m *model) publishable() (names []string) {
	for _, name := range m.manifest.EventNames() {
		if m.manifest.ClientsMayPublish(name) {
			names = append(names, name)
		}
	}
	for _, name := range m.manifest.ChannelNames() {
		if m.manifest.Events[name] == nil && m.manifest.ClientsMayPublish(name) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// service declares the object that is imported: the methods, but for those
// that it has other things in the place of.
func (w *tsWriter) service() {
	var d jsdoc
	d.say(w.manifest.Service.Description)
	var hidden []string
	for _, mt := range w.methods {
		if manifest.CallOnly(mt.Name) {
			hidden = append(hidden, tsQuote(mt.Name))
		}
	}
	methods := "$Methods"
	if hidden != nil {
		methods = "Pick<$Methods, Exclude<keyof $Methods, " + strings.Join(hidden, " | ") + ">>"
	}
	w.printf("%s  export interface $Service extends %s, EkkoIpc.Client<$Service, $Methods, $Events, $Channels, $Publishable, $Kept> {}\n\n", d.text("  "), methods)
	w.printf("%s  const $service: $Service;\n  export default $service;\n", d.text("  "))
}

// exports declares a named export for each method that can have one. A method
// called like a word of the language has one, too, though not a constant of
// that name. Dots and hyphens are for the default export.
func (w *tsWriter) exports() {
	for _, mt := range w.methods {
		switch {
		case mt.Name == "default" || mt.Name == "then" || !isIdentifier(mt.Name):
		case tsReserved[mt.Name]:
			w.printf("\n%s  const $%s: $Methods[%s];\n  export { $%s as %s };\n", w.comment(mt, "  "), mt.Name, tsQuote(mt.Name), mt.Name, mt.Name)
		default:
			w.printf("\n%s  export const %s: $Methods[%s];\n", w.comment(mt, "  "), mt.Name, tsQuote(mt.Name))
		}
	}
}
