"""What all pages share: the frame, the policy, the theme, and how times and numbers are written."""
