# Programs that pip put into the user's home come first.
case ":$PATH:" in
  *":$HOME/.local/bin:"*) ;;
  *) PATH="$HOME/.local/bin:$PATH" ;;
esac
# Once in a terminal: what is being brought back into a new container, and how it went.
if [ -n "$PS1" ] && [ -s "$HOME/.twinhub/packages.log" ]; then
  tail -n 1 "$HOME/.twinhub/packages.log"
fi
