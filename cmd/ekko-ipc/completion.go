package main

import (
	"context"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/ekkojs/ipc"
	"github.com/ekkojs/ipc/internal/registry"
	"github.com/ekkojs/ipc/manifest"
)

// completionTimeout bounds all that happens between the Tab key and the list:
// a person waits for it.
const completionTimeout = 2 * time.Second

type completer = func(cmd *cobra.Command, words []string, word string) ([]string, cobra.ShellCompDirective)

// fixed completes to one of the words given.
func fixed(words ...string) completer {
	return func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		return words, cobra.ShellCompDirectiveNoFileComp
	}
}

// folders completes to folders.
func folders(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	return nil, cobra.ShellCompDirectiveFilterDirs
}

// register sets the completion of a flag, which must exist.
func register(cmd *cobra.Command, flag string, complete completer) {
	if err := cmd.RegisterFlagCompletionFunc(flag, complete); err != nil {
		panic("ekko-ipc: completion of a flag that does not exist: " + err.Error())
	}
}

// found returns the services there are now. Completion never fails: it only
// has nothing to offer.
func (c *cli) found(ctx context.Context) []*registry.Resolution {
	services, _ := c.registry().List(ctx)
	return services
}

// completeServices completes the first word to the name of a service.
func (c *cli) completeServices(cmd *cobra.Command, words []string, _ string) ([]string, cobra.ShellCompDirective) {
	if len(words) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	ctx, cancel := context.WithTimeout(cmd.Context(), completionTimeout)
	defer cancel()
	var names []string
	for _, service := range c.found(ctx) {
		names = append(names, choice(service.Name, descriptionOf(service.Manifest)))
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}

// completeMethods completes the first word to SERVICE.METHOD, in two steps.
// With described, a service alone and an event are complete too; without it,
// further words complete to the names of the method's parameters.
func (c *cli) completeMethods(described bool) completer {
	return func(cmd *cobra.Command, words []string, word string) ([]string, cobra.ShellCompDirective) {
		ctx, cancel := context.WithTimeout(cmd.Context(), completionTimeout)
		defer cancel()
		if len(words) > 0 {
			if described {
				return nil, cobra.ShellCompDirectiveNoFileComp
			}
			return c.parameterChoices(ctx, words)
		}
		var choices []string
		directive := cobra.ShellCompDirectiveNoFileComp
		for _, service := range c.found(ctx) {
			switch {
			case strings.HasPrefix(word, service.Name+"."):
				choices = append(choices, partChoices(service.Name, c.manifestOf(ctx, service), described)...)
			case strings.HasPrefix(service.Name, word):
				choices = append(choices, choice(service.Name+".", descriptionOf(service.Manifest)))
				directive |= cobra.ShellCompDirectiveNoSpace
			}
		}
		return choices, directive
	}
}

// completeCalls completes what call takes: the name of a service alone for a
// batch, whose methods are in a file.
func (c *cli) completeCalls(options *callOptions) completer {
	methods := c.completeMethods(false)
	return func(cmd *cobra.Command, words []string, word string) ([]string, cobra.ShellCompDirective) {
		if options.batch != "" {
			return c.completeServices(cmd, words, word)
		}
		return methods(cmd, words, word)
	}
}

func partChoices(service string, m *manifest.Manifest, events bool) []string {
	var choices []string
	for _, name := range m.MethodNames() {
		choices = append(choices, choice(service+"."+name, firstOf(m.Methods[name].Description, m.Methods[name].Signature())))
	}
	if events {
		for _, name := range m.EventNames() {
			choices = append(choices, choice(service+"."+name, firstOf(m.Events[name].Description, "event")))
		}
	}
	return choices
}

// parameterChoices offers NAME= for each parameter that is not given yet.
func (c *cli) parameterChoices(ctx context.Context, words []string) ([]string, cobra.ShellCompDirective) {
	t, given, err := parseMethod(words)
	if err != nil {
		return nil, cobra.ShellCompDirectiveDefault
	}
	method := c.manifestOnDisk(ctx, t.service).MethodByName(t.method)
	if method == nil {
		return nil, cobra.ShellCompDirectiveDefault
	}
	var choices []string
	for _, parameter := range method.Parameters {
		if !hasNamed(given, parameter.Name) {
			choices = append(choices, choice(parameter.Name+"=", firstOf(parameter.Description, parameter.Type.String())))
		}
	}
	return choices, cobra.ShellCompDirectiveNoSpace | cobra.ShellCompDirectiveNoFileComp
}

func hasNamed(words []string, name string) bool {
	for _, word := range words {
		if strings.HasPrefix(word, name+"=") {
			return true
		}
	}
	return false
}

// completeEvents completes a service, then names of its events and channels,
// at most most of them; -1 means any number.
func (c *cli) completeEvents(most int) completer {
	return func(cmd *cobra.Command, words []string, word string) ([]string, cobra.ShellCompDirective) {
		switch {
		case len(words) == 0:
			return c.completeServices(cmd, words, word)
		case most >= 0 && len(words) > most:
			return nil, cobra.ShellCompDirectiveDefault
		}
		ctx, cancel := context.WithTimeout(cmd.Context(), completionTimeout)
		defer cancel()
		return c.eventChoices(ctx, words[0]), cobra.ShellCompDirectiveNoFileComp
	}
}

func (c *cli) eventChoices(ctx context.Context, service string) []string {
	resolution := &registry.Resolution{Name: service, Address: service}
	if !isAddress(service) {
		var err error
		if resolution, err = c.registry().Resolve(ctx, service); err != nil {
			return nil
		}
	}
	m := c.manifestOf(ctx, resolution)
	var choices []string
	for _, name := range m.EventNames() {
		choices = append(choices, choice(name, m.Events[name].Description))
	}
	for _, name := range m.ChannelNames() {
		if m.EventByName(name) == nil {
			choices = append(choices, choice(name, m.Channels[name].Description))
		}
	}
	return choices
}

// completeKept completes the first word to SERVICE.CHANNEL, of those channels
// that keep their events.
func (c *cli) completeKept(cmd *cobra.Command, words []string, word string) ([]string, cobra.ShellCompDirective) {
	directive := cobra.ShellCompDirectiveNoFileComp
	if len(words) > 0 {
		return nil, directive
	}
	ctx, cancel := context.WithTimeout(cmd.Context(), completionTimeout)
	defer cancel()
	var choices []string
	for _, service := range c.found(ctx) {
		m := c.manifestOf(ctx, service)
		var kept []string
		for _, name := range m.ChannelNames() {
			if keeps(m, name) {
				kept = append(kept, choice(service.Name+"."+name, firstOf(m.Channels[name].Description, channelLine(m.Channels[name]))))
			}
		}
		switch {
		case strings.HasPrefix(word, service.Name+"."):
			choices = append(choices, kept...)
		case strings.HasPrefix(service.Name, word) && len(kept) > 0:
			choices = append(choices, choice(service.Name+".", descriptionOf(m)))
			directive |= cobra.ShellCompDirectiveNoSpace
		}
	}
	return choices, directive
}

// completeForget completes a channel, then the names of its groups.
func (c *cli) completeForget(cmd *cobra.Command, words []string, word string) ([]string, cobra.ShellCompDirective) {
	if len(words) == 0 {
		return c.completeKept(cmd, words, word)
	}
	ctx, cancel := context.WithTimeout(cmd.Context(), completionTimeout)
	defer cancel()
	t, channel, _, err := c.parseChannel(ctx, words, 0)
	if err != nil || len(words) > 1 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return c.groupChoices(ctx, t.service, func(q *ipc.QueueInfo, g *ipc.GroupInfo) bool { return q.Channel == channel && g.Members == 0 }), cobra.ShellCompDirectiveNoFileComp
}

// completeGroups completes a flag to the names of the groups, or of the durable
// subscriptions, that a running service knows.
func (c *cli) completeGroups(durable bool) completer {
	return func(cmd *cobra.Command, words []string, _ string) ([]string, cobra.ShellCompDirective) {
		if len(words) == 0 {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		ctx, cancel := context.WithTimeout(cmd.Context(), completionTimeout)
		defer cancel()
		return c.groupChoices(ctx, words[0], func(_ *ipc.QueueInfo, g *ipc.GroupInfo) bool { return g.Durable == durable }), cobra.ShellCompDirectiveNoFileComp
	}
}

func (c *cli) groupChoices(ctx context.Context, service string, fits func(*ipc.QueueInfo, *ipc.GroupInfo) bool) (choices []string) {
	client, err := ipc.Dial(ctx, service, nil)
	if err != nil {
		return nil
	}
	defer client.Close()
	queues, _ := client.Queues(ctx)
	for _, q := range queues {
		for _, g := range q.Groups {
			if fits(&q, &g) {
				choices = append(choices, choice(g.Name, "of "+q.Channel))
			}
		}
	}
	return choices
}

// manifestOf returns the service's manifest: the one on disk, or what the
// service says when only its socket is known.
func (c *cli) manifestOf(ctx context.Context, service *registry.Resolution) *manifest.Manifest {
	if service.Manifest != nil {
		return service.Manifest
	}
	client, err := ipc.Dial(ctx, service.Address, nil)
	if err != nil {
		return nil
	}
	defer client.Close()
	described, _ := client.Describe(ctx)
	return described
}

// choice is a word to complete to, with a remark on the same line.
func choice(word, remark string) string {
	if remark == "" {
		return word
	}
	first, _, _ := strings.Cut(remark, "\n")
	return word + "\t" + first
}

func firstOf(texts ...string) string {
	for _, text := range texts {
		if text != "" {
			return text
		}
	}
	return ""
}

func descriptionOf(m *manifest.Manifest) string {
	if m == nil {
		return ""
	}
	return m.Service.Description
}
