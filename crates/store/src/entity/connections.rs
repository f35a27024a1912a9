//! Connections, with the lease of whoever refreshes one.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "connections")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub environment_id: Uuid,
    pub customer_id: Uuid,
    pub app_id: Uuid,
    pub connector_version: i32,
    pub family: i32,
    pub failures: i32,
    pub state: String,
    pub state_reason: String,
    pub state_since: i64,
    pub generation: i64,
    pub fence: i64,
    pub granted_at: i64,
    pub created_at: i64,
    pub updated_at: i64,
    pub expires_at: Option<i64>,
    pub refreshed_at: Option<i64>,
    pub next_refresh_at: Option<i64>,
    pub lease_until: Option<i64>,
    pub lease_owner: Option<Uuid>,
    pub attempt_deadline: Option<i64>,
    pub attempt_id: Option<Uuid>,
    pub requested_scopes: String,
    pub granted_scopes: Option<String>,
    pub access_token: Option<Vec<u8>>,
    pub refresh_token: Option<Vec<u8>>,
    pub variables: Option<String>,
    pub metadata: Option<String>,
    pub last_error: Option<String>,
    pub suspicions: i32,
    pub suspected_at: Option<i64>,
    pub previous_refresh_token: Option<Vec<u8>>,
    pub grant_expires_at: Option<i64>,
    pub refresh_idle_at: Option<i64>,
    pub used_at: Option<i64>,
    pub reauth_warned: Option<i32>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
