// Keeps a fault of one page from taking the rest away. React knows no other way than a class.
import { Component, type ReactNode } from 'react';
import { ErrorNote } from './ErrorNote';

interface State {
  error: unknown;
}

export class CrashBoundary extends Component<{ children: ReactNode }, State> {
  override state: State = { error: null };

  static getDerivedStateFromError(error: unknown): State {
    return { error };
  }

  override render() {
    if (this.state.error === null) return this.props.children;
    return <ErrorNote error={this.state.error} onRetry={() => window.location.reload()} />;
  }
}
