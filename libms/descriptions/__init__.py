"""What the library can say about an asset by reading it: nothing here executes, imports or unpacks anything.

Every function takes text, bytes or an open descriptor, and gives values. The
input is a stranger's: memory and time are bounded whatever it holds.
"""
