// The way between pages; only what the role may open.
import { NavLink } from 'react-router';
import { useMe } from '../session/useMe';
import classes from './NavLinks.module.css';

export function NavLinks() {
  const { role } = useMe();
  const linkClass = ({ isActive }: { isActive: boolean }) => `${classes.link} ${isActive ? classes.active : ''}`;
  return (
    <nav className={classes.nav} aria-label="Pages">
      {role === 'user' ? (
        <NavLink to="/" end className={linkClass}>
          My work
        </NavLink>
      ) : (
        <NavLink to="/jobs" className={linkClass}>
          Background jobs
        </NavLink>
      )}
      <NavLink to="/deployments" className={linkClass}>
        Deployment history
      </NavLink>
    </nav>
  );
}
