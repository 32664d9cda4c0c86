// Short news at the edge of the screen, read out politely. useToast gives the function that shows one.
import { Notification, Stack } from '@mantine/core';
import { IconAlertTriangle, IconCheck, IconInfoCircle } from '@tabler/icons-react';
import { createContext, useCallback, useContext, useRef, useState, type ReactNode } from 'react';
import classes from './ToastProvider.module.css';

type Tone = 'good' | 'bad' | 'info';
interface Toast {
  id: number;
  tone: Tone;
  text: ReactNode;
}

/** Errors stay until they are closed: whoever looked away must still find them. */
const SHOWN_MS = 6000;
const LOOK = {
  good: { color: 'teal', icon: <IconCheck size={16} aria-hidden />, word: 'Done' },
  bad: { color: 'red', icon: <IconAlertTriangle size={16} aria-hidden />, word: 'Not done' },
  info: { color: 'blue', icon: <IconInfoCircle size={16} aria-hidden />, word: 'Note' },
} as const;

const ToastContext = createContext<(tone: Tone, text: ReactNode) => void>(() => undefined);

export function ToastProvider({ children }: { children: ReactNode }) {
  const [toasts, setToasts] = useState<Toast[]>([]);
  const lastId = useRef(0);
  const close = useCallback((id: number) => setToasts((all) => all.filter((toast) => toast.id !== id)), []);
  const show = useCallback(
    (tone: Tone, text: ReactNode) => {
      lastId.current += 1;
      const id = lastId.current;
      setToasts((all) => [...all.slice(-3), { id, tone, text }]);
      if (tone !== 'bad') setTimeout(() => close(id), SHOWN_MS);
    },
    [close],
  );
  return (
    <ToastContext.Provider value={show}>
      {children}
      <Stack gap="xs" className={classes.corner} role="status" aria-live="polite">
        {toasts.map(({ id, tone, text }) => (
          <Notification
            key={id}
            color={LOOK[tone].color}
            icon={LOOK[tone].icon}
            title={LOOK[tone].word}
            withBorder
            classNames={{ description: classes.text }}
            onClose={() => close(id)}
            closeButtonProps={{ 'aria-label': 'Close' }}
          >
            {text}
          </Notification>
        ))}
      </Stack>
    </ToastContext.Provider>
  );
}

export function useToast(): (tone: Tone, text: ReactNode) => void {
  return useContext(ToastContext);
}
