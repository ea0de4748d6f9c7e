"""Is a policy that was trained over many workloads good on unseen ones, without a single evaluation there?"""
