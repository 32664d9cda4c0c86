// Calm, dense, one accent. Sizes a step smaller than Mantine's own: this is a tool for tables.
import { createTheme, type MantineColorsTuple } from '@mantine/core';

const steel: MantineColorsTuple = [
  '#eaf5fb',
  '#d8e8f2',
  '#aecfe3',
  '#81b5d4',
  '#5d9fc7',
  '#4691bf',
  '#3989bb',
  '#2a76a5',
  '#1e6994',
  '#045b83',
];

export const theme = createTheme({
  primaryColor: 'steel',
  colors: { steel },
  primaryShade: { light: 8, dark: 7 },
  defaultRadius: 'sm',
  cursorType: 'pointer',
  respectReducedMotion: true,
  fontFamily: 'system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", "DejaVu Sans", sans-serif',
  fontFamilyMonospace: 'ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace',
  fontSizes: { xs: '0.75rem', sm: '0.8125rem', md: '0.9375rem', lg: '1.0625rem', xl: '1.25rem' },
  components: {
    Tooltip: {
      defaultProps: {
        withArrow: true,
        openDelay: 250,
        multiline: true,
        maw: 320,
        events: { hover: true, focus: true, touch: true },
      },
    },
  },
});
