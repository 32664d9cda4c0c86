// French words of the notices.
import type { Amount, EndedState, Words } from './words';

const rules = new Intl.PluralRules('fr');
const isOne = (n: number): boolean => rules.select(n) === 'one';
const jobs = ({ n, count }: Amount): string => `${count} ${isOne(n) ? 'tâche' : 'tâches'}`;
const notices = ({ n, count }: Amount): string => `${count} ${isOne(n) ? 'message' : 'messages'}`;
const none: Amount = { n: 0, count: '0' };

const ENDED: Record<EndedState, string> = {
  succeeded: 'a réussi',
  completed_with_errors: 's’est terminée avec des erreurs',
  failed: 'a échoué',
  canceled: 'a été annulée',
  rejected: 'a été refusée',
  withdrawn: 'a été retirée',
  expired: 'a expiré avant d’être approuvée',
};
/** Adjectives, singular and plural. */
const COUNTED: Record<EndedState, [string, string]> = {
  succeeded: ['réussie', 'réussies'],
  completed_with_errors: ['terminée avec des erreurs', 'terminées avec des erreurs'],
  failed: ['échouée', 'échouées'],
  canceled: ['annulée', 'annulées'],
  rejected: ['refusée', 'refusées'],
  withdrawn: ['retirée', 'retirées'],
  expired: ['expirée', 'expirées'],
};
const waits = (amount: Amount): string => `${jobs(amount)} ${isOne(amount.n) ? 'attend' : 'attendent'}`;

export const fr: Words = {
  hello: (name) => (name ? `Bonjour ${name},` : 'Bonjour,'),
  jobEnded: {
    subject: (title, state) => `La tâche « ${title} » ${ENDED[state]}`,
    yours: (title, state) => `votre tâche « ${title} » ${ENDED[state]}.`,
    theirs: (owner, title, state) => `la tâche « ${title} » de ${owner} ${ENDED[state]}.`,
    rows: ({ total, good, failed, skipped }) =>
      `Lignes : ${total.count} au total, ${good.count} ${isOne(good.n) ? 'traitée' : 'traitées'}, ${failed.count} en échec, ${skipped.count} ${isOne(skipped.n) ? 'ignorée' : 'ignorées'}.`,
    notDealtWith: ({ n, count }) => `${count} ${isOne(n) ? 'n’a pas été traitée' : 'n’ont pas été traitées'}.`,
    causes: 'Causes les plus fréquentes :',
    started: 'Début :',
    finished: 'Fin :',
    took: (duration) => `(durée : ${duration})`,
    shortWhile: 'moins d’une seconde',
    run: 'Exécution :',
    link: 'Détails, journal et fichier d’erreurs',
  },
  digest: {
    subject: (amount) => `${jobs(amount)} ${isOne(amount.n) ? 'terminée' : 'terminées'}`,
    intro: (amount) => (isOne(amount.n) ? `${jobs(amount)} s’est terminée :` : `${jobs(amount)} se sont terminées :`),
    state: ({ n, count }, state) => `${count} ${COUNTED[state][isOne(n) ? 0 : 1]}`,
    failedRows: ({ n, count }) => `${count} ${isOne(n) ? 'ligne' : 'lignes'} en échec`,
    more: ({ n, count }) => `et ${count} ${isOne(n) ? 'autre tâche' : 'autres tâches'}`,
    link: 'Toutes les tâches',
    why: 'Ces messages ont été regroupés parce que vous avez demandé un récapitulatif ou parce que de nombreuses tâches se sont terminées en même temps.',
  },
  approvalWanted: {
    subject: (title) => `Approbation demandée : ${title}`,
    asks: (requester, title) =>
      `${requester} demande votre approbation pour « ${title} ». Rien ne commence avant l’approbation.`,
    quorum: ({ count }) => `${count} personnes différentes doivent l’approuver.`,
    kind: 'Type :',
    rows: 'Lignes :',
    run: 'Exécution :',
    hash: 'Empreinte de la demande :',
    expires: 'Expire :',
    link: 'Examiner et décider',
    personal: 'Ce lien est personnel : quiconque le possède décide en votre nom. L’ouvrir ne décide rien.',
  },
  alert: {
    title: {
      'no-worker': 'Aucun processus de travail n’est connecté',
      'queue-stalled': 'Les tâches en attente ne sont pas traitées',
      'mail-failing': 'Les messages ne sont pas remis',
      'retention-late': 'La purge n’a pas eu lieu',
    },
    text: {
      'no-worker': ({ waiting = none, oldestWaitSeconds = '' }) =>
        `Aucun processus de travail n’est connecté et ${waits(waiting)}, la plus ancienne depuis ${oldestWaitSeconds}. Rien n’est perdu : le travail commencera dès qu’un processus démarre (npx gantry worker).`,
      'queue-stalled': ({ waiting = none, oldestWaitSeconds = '' }) =>
        `Des processus de travail sont connectés, mais ${waits(waiting)}, la plus ancienne depuis ${oldestWaitSeconds}, et rien n’est traité. Rien n’est perdu. Consultez les journaux des processus de travail et la file ; les redémarrer est sans danger.`,
      'mail-failing': ({ undelivered = none, refused = none }) =>
        `${notices(undelivered)} ${isOne(undelivered.n) ? 'n’a pas encore pu être remis' : 'n’ont pas encore pu être remis'}, ${notices(refused)} ${isOne(refused.n) ? 'a été refusé' : 'ont été refusés'} définitivement. L’envoi est retenté pendant 72 heures. Vérifiez SMTP_URL, MAIL_FROM et le serveur de messagerie.`,
      'retention-late': ({ owedSince = '' }) =>
        `La purge aurait dû avoir lieu le ${owedSince} et ne s’est pas faite. Les tâches périmées ne sont plus affichées, mais leurs lignes occupent encore de la place. Consultez les journaux des processus de travail.`,
    },
    subject: (title) => `Alerte : ${title}`,
    recoveredSubject: (title) => `Terminé : ${title}`,
    recovered: (title) => `L’incident suivant est terminé : ${title}.`,
    since: 'Depuis :',
    until: 'Jusqu’à :',
    link: 'Alertes',
    why: 'Vous recevez ce message en tant que superadministrateur ; votre profil permet de le désactiver.',
  },
};
