package markdown

import (
	"strings"
	"testing"
)

func TestRender(t *testing.T) {
	for name, tt := range map[string]struct{ in, want string }{
		"heading":        {"## Plan *now*", "<h2>Plan <em>now</em></h2>\n"},
		"paragraph":      {"a **b** `c<d>`", "<p>a <strong>b</strong> <code>c&lt;d&gt;</code></p>\n"},
		"table":          {"| a | b |\n|---|:-:|\n| 1 \\| 2 | `x` |", "<table><thead><tr><th>a</th><th>b</th></tr></thead><tbody>\n<tr><td>1 | 2</td><td><code>x</code></td></tr>\n</tbody></table>\n"},
		"diff fence":     {"```diff\n+a\n-<b>\n```", "<pre class=\"code diff\"><span class=\"line add\">+a</span>\n<span class=\"line del\">-&lt;b&gt;</span>\n</pre>\n"},
		"longer fence":   {"````\n```\n````", "<pre class=\"code \"><span class=\"line\">```</span>\n</pre>\n"},
		"details":        {"<details>\n<summary>more <b>x</b></summary>\n\ntext\n\n</details>", "<details>\n<summary>more <b>x</b></summary>\n<p>text</p>\n</details>\n"},
		"details inline": {"<details open><summary>s</summary>\nx\n</details>", "<details open>\n<summary>s</summary>\n<p>x</p>\n</details>\n"},
		"unclosed":       {"<details>", "<details>\n</details>\n"},
		"stray closing":  {"</details>", ""},
		"link":           {"[a](https://x.example/?a=1&b=2)", `<p><a href="https://x.example/?a=1&amp;b=2">a</a></p>` + "\n"},
		"list":           {"- a\n  - b\n- c", "<ul>\n<li>a</li>\n<ul>\n<li>b</li>\n</ul>\n<li>c</li>\n</ul>\n"},
		"quote":          {"> a\n> b", "<blockquote><p>a<br>\nb</p>\n</blockquote>\n"},
		"comment":        {"<!-- hidden -->shown", "<p>shown</p>\n"},
		"escape":         {`\*a\* &lt;`, "<p>*a* &lt;</p>\n"},
		"rule":           {"---", "<hr>\n"},
		"umlaut":         {"größer", "<p>größer</p>\n"},
	} {
		if got := string(Render(tt.in)); got != tt.want {
			t.Errorf("%s:\n got %q\nwant %q", name, got, tt.want)
		}
	}
}

func TestHostileText(t *testing.T) {
	for _, in := range []string{
		"<script>alert(1)</script>", `<img src=x onerror=alert(1)>`, "[x](javascript:alert(1))", `[x](https://a"onmouseover="b)`,
		`<details ontoggle=alert(1)>`, "`<script>`", "| <script> |\n|---|\n| <img src=x> |", "# <iframe>", "[x](//evil.example)",
		"<summary><script></summary>", "```<script>\n<script>\n```", "<b onclick=x>", "https://x/\"onclick=y",
	} {
		got := string(Render(in))
		for _, bad := range []string{"<script", "<img", "<iframe", "<b on", "<details on", `href="javascript`, `href="//`, `" on`, `"on`} {
			if strings.Contains(got, bad) {
				t.Errorf("%q became %q", in, got)
			}
		}
	}
}

func FuzzRender(f *testing.F) {
	f.Add("# a\n- b\n```x\n")
	f.Add("<details>**a** [b](https://c)")
	f.Fuzz(func(t *testing.T, in string) {
		got := strings.ToLower(string(Render(in)))
		if strings.Contains(got, "<script") || strings.Contains(got, "<img") {
			t.Errorf("%q became %q", in, got)
		}
	})
}
