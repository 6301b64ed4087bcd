"""The MCP server: the use cases as tools for agents, over stdio and HTTP. A noun is a module; it joins in `server.py`."""
