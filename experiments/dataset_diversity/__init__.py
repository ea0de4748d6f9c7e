"""Whether data of several agents train better proxies than as much of one."""
