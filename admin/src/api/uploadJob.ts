// Sends a job with a file of rows and tells how far the upload is. Called through client.ts.
// Uses XMLHttpRequest because fetch says nothing about the upload's progress. The job part goes first: the server reads in order.
import { apiErrorOf } from './apiError';
import type { Job, NewJob } from './types';

export interface Upload {
  job: NewJob;
  rows: File;
  signal: AbortSignal;
  onProgress(share: number): void;
}

/** What the server takes as rows, by the file's ending; null: neither. */
export function rowsTypeOf(fileName: string): 'text/csv' | 'application/x-ndjson' | null {
  const name = fileName.toLowerCase();
  if (name.endsWith('.csv')) return 'text/csv';
  if (name.endsWith('.ndjson') || name.endsWith('.jsonl')) return 'application/x-ndjson';
  return null;
}

function readJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

export function uploadJob({ job, rows, signal, onProgress }: Upload): Promise<Job> {
  const form = new FormData();
  form.append('job', JSON.stringify(job));
  const type = rowsTypeOf(rows.name) ?? 'text/csv';
  form.append('rows', rows.slice(0, rows.size, type), rows.name);
  return new Promise((resolve, reject) => {
    const xhr = new XMLHttpRequest();
    const abort = () => xhr.abort();
    signal.addEventListener('abort', abort);
    xhr.open('POST', '/api/v1/jobs');
    xhr.setRequestHeader('accept', 'application/json');
    xhr.upload.onprogress = (event) => {
      if (event.lengthComputable && event.total > 0) onProgress(event.loaded / event.total);
    };
    xhr.onload = () => {
      if (xhr.status >= 200 && xhr.status < 300) resolve(JSON.parse(xhr.responseText) as Job);
      else reject(apiErrorOf(xhr.status, readJson(xhr.responseText), xhr.getResponseHeader('retry-after')));
    };
    xhr.onerror = () => reject(new TypeError('upload broke off'));
    xhr.onabort = () => reject(new DOMException('Upload stopped.', 'AbortError'));
    xhr.onloadend = () => signal.removeEventListener('abort', abort);
    xhr.send(form);
  });
}
