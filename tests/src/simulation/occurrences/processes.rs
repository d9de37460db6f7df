//! The processes of users and jobs.

use domain::ids::{AccountId, TenantId};
use engine::commands::{connect, organisation};
use engine::connection::disconnect;
use engine::jobs::{cleanup, health, keep_alive};
use engine::{Engine, Invocation};
use secrecy::SecretString;

use crate::access::Function;
use crate::simulation::executor::Pid;
use crate::simulation::script::Job;
use crate::simulation::world::{Done, SimWorld};
use crate::world::owner;

impl SimWorld {
    pub(super) fn start_disconnect(
        &mut self,
        account: String,
        engine: Engine,
        attended: Invocation,
    ) -> Pid {
        let connects = self.connects_to(self.tenant(&account));
        self.processes.start(async move {
            let id = AccountId::new(account.as_str()).expect("an id");
            let ended = disconnect::disconnect_account(&engine, &id, attended).await;
            let done = Done::Disconnected { account, connects };
            if ended.is_ok() { done } else { Done::Other }
        })
    }

    pub(super) fn start_connect(&mut self, account: String, engine: Engine) -> Pid {
        let tenant = self.tenant(&account);
        self.observations.closed(&tenant.to_string(), false);
        *self.connects.entry(tenant).or_default() += 1;
        self.processes.start(async move {
            let (id, by) = (AccountId::new(account.as_str()).expect("an id"), owner());
            let address = connect::begin_connect(&engine, &id, &by).await.ok();
            Done::Begun { account, address }
        })
    }

    pub(super) fn start_completion(
        &mut self,
        presented: (String, SecretString, u32),
        engine: Engine,
        attended: Invocation,
    ) -> Pid {
        let (account, ticket, _) = presented.clone();
        let pid = self.processes.start(async move {
            let (id, by) = (AccountId::new(account.as_str()).expect("an id"), owner());
            let completed =
                connect::complete_connect(&engine, &id, &by, &ticket, attended).await.ok();
            Done::Completed { account, completed }
        });
        self.tickets.insert(pid, presented);
        pid
    }

    pub(super) fn start_choice(
        &mut self,
        account: String,
        tries: u32,
        engine: Engine,
        attended: Invocation,
    ) -> Pid {
        let tenant = TenantId(self.tenant(&account));
        self.processes.start(async move {
            let id = AccountId::new(account.as_str()).expect("an id");
            let chosen = organisation::choose_organisation(&engine, &id, tenant, attended).await;
            Done::Chosen { account, is_answered: chosen.is_ok(), tries }
        })
    }

    pub(super) fn start_job(
        &mut self,
        job: Job,
        engine: Engine,
        until: Invocation,
    ) -> (Function, Pid) {
        let function = match job {
            Job::KeepAlive => Function::KeepAlive,
            Job::HealthCheck => Function::HealthCheck,
            Job::LogCleanup => Function::LogCleanup,
        };
        let work = async move {
            match job {
                Job::KeepAlive => drop(keep_alive::renew_unused_tokens(&engine, until).await),
                Job::HealthCheck => drop(health::check_health(&engine, until).await),
                Job::LogCleanup => {
                    drop(cleanup::remove_expired_rows(&engine.store, &*engine.clock, until).await);
                }
            }
            Done::Other
        };
        (function, self.processes.start(work))
    }
}
